//! What the real `diesel` command does with the event store's migrations, on each database.
//!
//! It is found in the environment variable `DIESEL_CLI`, or as `diesel` on the PATH; a version that knows the
//! databases which are compiled in is needed.

mod application;
mod checkout;
mod database;
mod embedded;
mod project;

macro_rules! area {
    ($database:ty, $area:ident { $($test:ident),+ $(,)? }) => {
        mod $area {
            $(
                #[test]
                fn $test() {
                    crate::$area::$test::<$database>();
                }
            )+
        }
    };
}

macro_rules! diesel_command {
    ($name:ident: $database:ty) => {
        mod $name {
            area!(
                $database,
                checkout {
                    run_creates_the_tables_and_leaves_nothing_pending,
                    list_shows_what_is_applied,
                    revert_drops_everything_that_run_created,
                    redo_leaves_an_empty_event_store_that_works,
                    the_schema_in_the_sources_is_what_the_migrations_create,
                    a_migration_that_the_schema_does_not_follow_is_noticed,
                }
            );
            area!(
                $database,
                embedded {
                    after_the_command_an_application_finds_nothing_pending,
                    after_an_application_the_command_finds_nothing_pending,
                    what_an_application_applied_the_command_reverts_and_the_other_way_round,
                }
            );
            area!(
                $database,
                application {
                    the_command_works_when_the_event_store_came_first,
                    the_command_works_when_the_application_came_first,
                    the_command_works_when_the_event_store_came_between,
                    reverting_more_than_the_application_has_leaves_the_events,
                    the_schema_of_the_whole_database_can_be_printed,
                    the_application_can_keep_the_event_store_out_of_its_schema,
                    copied_migrations_are_applied_once_when_the_command_came_first,
                    copied_migrations_are_applied_once_when_the_application_started_first,
                    copied_migrations_are_reverted_and_redone_with_the_rest,
                }
            );
        }
    };
}

#[cfg(feature = "sqlite")]
diesel_command!(sqlite: test_support::Sqlite);
#[cfg(feature = "postgres")]
diesel_command!(postgres: test_support::Postgres);
#[cfg(feature = "mysql")]
diesel_command!(mysql: test_support::Mysql);
