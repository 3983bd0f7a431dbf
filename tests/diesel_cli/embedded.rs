//! The command and the migrations that are compiled into the application take each other's work for their
//! own.

use crate::database::CliDatabase;
use crate::project::{OURS, Project};

/// A folder with nothing but the migrations of this crate.
fn migrations_only<D: CliDatabase>() -> Project<D> {
    let project = Project::new();
    for file in ["up.sql", "down.sql"] {
        project.copy_from_crate(
            &format!("{}/{OURS}/{file}", D::MIGRATIONS),
            &format!("migrations/{OURS}/{file}"),
        );
    }
    project
}

pub fn after_the_command_an_application_finds_nothing_pending<D: CliDatabase>() {
    let project = migrations_only::<D>();
    project.diesel("migration run");
    project.append_an_event();
    assert!(project.start().is_empty());
    assert_eq!(project.count_events(), 1);
}

pub fn after_an_application_the_command_finds_nothing_pending<D: CliDatabase>() {
    let project = migrations_only::<D>();
    assert_eq!(project.start(), ["00000000000100des"]);
    project.append_an_event();
    assert!(!project.is_pending());
    assert_eq!(project.migrations(), [(true, OURS.to_owned())]);
    project.diesel("migration run");
    assert_eq!(project.count_events(), 1);
}

pub fn what_an_application_applied_the_command_reverts_and_the_other_way_round<D: CliDatabase>() {
    let project = migrations_only::<D>();
    project.start();
    project.diesel("migration revert");
    assert!(project.tables().is_empty());
    assert_eq!(project.start(), ["00000000000100des"]);
    project.diesel("migration redo");
    assert_eq!(project.tables(), D::OUR_TABLES);
    assert!(project.start().is_empty());
}
