//! The command in this crate's own folder, with its diesel.toml.

use crate::database::CliDatabase;
use crate::project::{OURS, Project};

fn checkout<D: CliDatabase>() -> Project<D> {
    let project = Project::new();
    let up = format!("{}/{OURS}/up.sql", D::MIGRATIONS);
    let down = format!("{}/{OURS}/down.sql", D::MIGRATIONS);
    project.copy_from_crate(D::CONFIG, "diesel.toml");
    // The command formats what it writes, as rustfmt is told to here.
    for file in ["rustfmt.toml", D::SCHEMA, &up, &down] {
        project.copy_from_crate(file, file);
    }
    project
}

pub fn run_creates_the_tables_and_leaves_nothing_pending<D: CliDatabase>() {
    let project = checkout::<D>();
    assert!(project.is_pending());
    project.diesel("migration run");
    assert!(!project.is_pending());
    assert_eq!(project.tables(), D::OUR_TABLES);
    project.append_an_event();
}

pub fn list_shows_what_is_applied<D: CliDatabase>() {
    let project = checkout::<D>();
    assert_eq!(project.migrations(), [(false, OURS.to_owned())]);
    project.diesel("migration run");
    assert_eq!(project.migrations(), [(true, OURS.to_owned())]);
}

pub fn revert_drops_everything_that_run_created<D: CliDatabase>() {
    let project = checkout::<D>();
    project.diesel("migration run");
    project.append_an_event();
    project.diesel("migration revert");
    assert!(project.tables().is_empty());
    assert!(project.is_pending());
}

pub fn redo_leaves_an_empty_event_store_that_works<D: CliDatabase>() {
    let project = checkout::<D>();
    project.diesel("migration run");
    project.append_an_event();
    project.diesel("migration redo");
    assert_eq!(project.tables(), D::OUR_TABLES);
    assert_eq!(project.count_events(), 0);
    project.append_an_event();
}

pub fn the_schema_in_the_sources_is_what_the_migrations_create<D: CliDatabase>() {
    let project = checkout::<D>();
    project.diesel("migration run --locked-schema");
}

pub fn a_migration_that_the_schema_does_not_follow_is_noticed<D: CliDatabase>() {
    let project = checkout::<D>();
    let up = format!("{}/{OURS}/up.sql", D::MIGRATIONS);
    project.write(&up, &(project.read(&up) + "CREATE TABLE one_more (id INTEGER PRIMARY KEY NOT NULL);"));
    let complaint = project.diesel_fails("migration run --locked-schema");
    assert!(complaint.contains("one_more"), "{complaint}");
}
