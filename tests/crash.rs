//! Servers that are killed under load and started again.
#![cfg(any(feature = "postgres", feature = "mysql"))]

mod crash {
    pub mod killed;
    mod load;
    #[cfg(feature = "postgres")]
    mod prepared;
}

mod nothing_acknowledged_is_lost {
    use diesel_event_store::LogOrdering;

    use super::crash::killed::nothing_acknowledged_is_lost;

    #[cfg(feature = "postgres")]
    mod postgres {
        use super::*;
        use diesel::PgConnection;

        #[test]
        fn fenced() -> test_support::Result {
            nothing_acknowledged_is_lost::<PgConnection>("postgres", LogOrdering::Fenced)
        }

        #[test]
        fn gapless() -> test_support::Result {
            nothing_acknowledged_is_lost::<PgConnection>("postgres", LogOrdering::Gapless)
        }
    }

    #[cfg(feature = "mysql")]
    mod mysql {
        use super::*;
        use diesel::MysqlConnection;

        #[test]
        fn fenced() -> test_support::Result {
            nothing_acknowledged_is_lost::<MysqlConnection>("mariadb", LogOrdering::Fenced)
        }

        #[test]
        fn gapless() -> test_support::Result {
            nothing_acknowledged_is_lost::<MysqlConnection>("mariadb", LogOrdering::Gapless)
        }
    }
}
