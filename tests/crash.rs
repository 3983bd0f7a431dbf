//! Servers that are killed under load and started again.
#![cfg(any(feature = "postgres", feature = "mysql"))]

#[allow(dead_code)] // Other tests need more of it.
mod private_server;
#[path = "processes/random.rs"]
mod random;
#[macro_use]
#[allow(dead_code, unused_imports)] // The suite needs more of it.
mod support;
#[allow(dead_code, unused_imports)] // Other tests need more of it.
mod witness;
mod crash {
    pub mod killed;
    mod load;
    #[cfg(feature = "postgres")]
    mod prepared;
}

mod nothing_acknowledged_is_lost {
    use diesel_event_store::LogOrdering;

    use super::crash::killed::nothing_acknowledged_is_lost;
    use super::support;

    #[cfg(feature = "postgres")]
    mod postgres {
        use super::*;
        use diesel::PgConnection;

        #[test]
        fn fenced() -> support::Result {
            nothing_acknowledged_is_lost::<PgConnection>("postgres", LogOrdering::Fenced)
        }

        #[test]
        fn gapless() -> support::Result {
            nothing_acknowledged_is_lost::<PgConnection>("postgres", LogOrdering::Gapless)
        }
    }

    #[cfg(feature = "mysql")]
    mod mysql {
        use super::*;
        use diesel::MysqlConnection;

        #[test]
        fn fenced() -> support::Result {
            nothing_acknowledged_is_lost::<MysqlConnection>("mariadb", LogOrdering::Fenced)
        }

        #[test]
        fn gapless() -> support::Result {
            nothing_acknowledged_is_lost::<MysqlConnection>("mariadb", LogOrdering::Gapless)
        }
    }
}
