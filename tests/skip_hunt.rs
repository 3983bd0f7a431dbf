//! The hunt for a reader that misses an event.

mod skip_hunt {
    mod follower;
    pub mod hunt;
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub mod interleavings;
    mod naive;
    pub mod projected;
    mod reader;
    mod session;
    mod writer;
}

macro_rules! hunts {
    ($hunt:path; $($name:ident: $database:ident, $what:expr;)+) => {
        $(
            #[test]
            fn $name() -> test_support::Result {
                use skip_hunt::hunt::Hunt;
                use $hunt as hunt;
                hunt::<test_support::$database>(&$what)
            }
        )+
    };
}

/// Before and after a writer or a reader takes the last position that was given out. Whatever could come between that and
/// the next thing it does then comes.
#[cfg(feature = "postgres")]
const PAUSES_IN_THE_FENCE: [&str; 2] = [
    "ALTER FUNCTION event_store_given_position() RENAME TO given_position_at_once",
    "CREATE FUNCTION event_store_given_position() RETURNS BIGINT LANGUAGE plpgsql VOLATILE AS $$
     DECLARE given BIGINT;
     BEGIN
         PERFORM pg_sleep(random() * 0.005);
         given := given_position_at_once();
         PERFORM pg_sleep(random() * 0.005);
         RETURN given;
     END $$",
];

mod no_reader_misses_an_event {
    #[cfg(feature = "postgres")]
    use super::PAUSES_IN_THE_FENCE;
    use super::skip_hunt;

    #[cfg(feature = "sqlite")]
    hunts! {
        skip_hunt::hunt::hunt;
        sqlite: Sqlite, Hunt { one_writer: true, ..Hunt::gapless("SQLite") };
    }
    #[cfg(feature = "postgres")]
    hunts! {
        skip_hunt::hunt::hunt;
        postgres_fenced: Postgres, Hunt::fenced("PostgreSQL, fenced");
        postgres_fenced_with_pauses_in_the_fence: Postgres,
            Hunt { changes: &PAUSES_IN_THE_FENCE, ..Hunt::fenced("PostgreSQL, fenced, with pauses in the fence") };
        postgres_gapless: Postgres, Hunt::gapless("PostgreSQL, gapless");
    }
    #[cfg(feature = "mysql")]
    hunts! {
        skip_hunt::hunt::hunt;
        mysql_fenced: Mysql, Hunt::fenced("MySQL, fenced");
        mysql_gapless: Mysql, Hunt::gapless("MySQL, gapless");
        mysql_fenced_in_read_committed: ReadCommitted, Hunt::fenced("MySQL, fenced, READ COMMITTED");
        mysql_gapless_in_read_committed: ReadCommitted, Hunt::gapless("MySQL, gapless, READ COMMITTED");
    }
}

/// The same writers; the readers are projections, which are run by two runners.
mod no_projection_misses_an_event {
    #[cfg(feature = "postgres")]
    use super::PAUSES_IN_THE_FENCE;
    use super::skip_hunt;

    #[cfg(feature = "sqlite")]
    hunts! {
        skip_hunt::projected::hunt;
        sqlite: Sqlite, Hunt { one_writer: true, ..Hunt::gapless("SQLite") };
    }
    #[cfg(feature = "postgres")]
    hunts! {
        skip_hunt::projected::hunt;
        postgres_fenced: Postgres, Hunt::fenced("PostgreSQL, fenced");
        postgres_fenced_with_pauses_in_the_fence: Postgres,
            Hunt { changes: &PAUSES_IN_THE_FENCE, ..Hunt::fenced("PostgreSQL, fenced, with pauses in the fence") };
        postgres_gapless: Postgres, Hunt::gapless("PostgreSQL, gapless");
    }
    #[cfg(feature = "mysql")]
    hunts! {
        skip_hunt::projected::hunt;
        mysql_fenced: Mysql, Hunt::fenced("MySQL, fenced");
        mysql_gapless: Mysql, Hunt::gapless("MySQL, gapless");
    }
}

/// Where writers do not wait for each other, and commit in another order than that of their positions.
#[cfg(any(feature = "postgres", feature = "mysql"))]
macro_rules! interleavings {
    ($name:ident: $database:ident) => {
        interleavings! {
            $name: $database;
            the_first_event_of_a_log_is_committed_second,
            an_event_is_committed_after_one_of_a_higher_position,
            a_transaction_begins_to_append_anew_after_a_savepoint,
            a_savepoint_is_rolled_back_after_other_appends,
            a_transaction_that_is_rolled_back_is_not_waited_for,
            a_transaction_that_is_killed_is_not_waited_for,
            a_transaction_does_not_find_its_own_events_in_the_log,
            a_reading_transaction_goes_on_after_others_have_committed,
            a_reading_transaction_goes_on_while_the_ordering_changes,
            one_transaction_appends_very_often,
        }
    };
    ($name:ident: $database:ident; $($test:ident,)+) => {
        mod $name {
            $(
                #[test]
                fn $test() -> test_support::Result {
                    crate::skip_hunt::interleavings::$test::<test_support::$database>()
                }
            )+
        }
    };
}

#[cfg(feature = "postgres")]
interleavings!(postgres: Postgres);
#[cfg(feature = "mysql")]
interleavings!(mysql: Mysql);
#[cfg(feature = "mysql")]
interleavings!(mysql_in_read_committed: ReadCommitted);
