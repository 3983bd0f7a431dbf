//! The command in this crate's own folder, with its diesel.toml.

use crate::project::{OUR_TABLES, OURS, Project};

const SCHEMA: &str = "src/schema/sqlite.rs";

fn checkout() -> Project {
    let project = Project::new();
    let up = format!("migrations/sqlite/{OURS}/up.sql");
    let down = format!("migrations/sqlite/{OURS}/down.sql");
    for file in ["diesel.toml", SCHEMA, &up, &down] {
        project.copy_from_crate(file, file);
    }
    project
}

#[test]
fn run_creates_the_tables_and_leaves_nothing_pending() {
    let project = checkout();
    assert!(project.is_pending());
    project.diesel("migration run");
    assert!(!project.is_pending());
    assert_eq!(project.tables(), OUR_TABLES);
    project.append_an_event();
}

#[test]
fn list_shows_what_is_applied() {
    let project = checkout();
    assert_eq!(project.migrations(), [(false, OURS.to_owned())]);
    project.diesel("migration run");
    assert_eq!(project.migrations(), [(true, OURS.to_owned())]);
}

#[test]
fn revert_drops_everything_that_run_created() {
    let project = checkout();
    project.diesel("migration run");
    project.append_an_event();
    project.diesel("migration revert");
    assert!(project.tables().is_empty());
    assert!(project.is_pending());
}

#[test]
fn redo_leaves_an_empty_event_store_that_works() {
    let project = checkout();
    project.diesel("migration run");
    project.append_an_event();
    project.diesel("migration redo");
    assert_eq!(project.tables(), OUR_TABLES);
    assert_eq!(project.count_events(), 0);
    project.append_an_event();
}

#[test]
fn the_schema_in_the_sources_is_what_the_migrations_create() {
    let project = checkout();
    project.diesel("migration run --locked-schema");
}

#[test]
fn a_migration_that_the_schema_does_not_follow_is_noticed() {
    let project = checkout();
    let up = format!("migrations/sqlite/{OURS}/up.sql");
    project.write(&up, &(project.read(&up) + "CREATE TABLE one_more (id INTEGER PRIMARY KEY NOT NULL);"));
    let complaint = project.diesel_fails("migration run --locked-schema");
    assert!(complaint.contains("one_more"), "{complaint}");
}
