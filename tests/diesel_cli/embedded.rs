//! The command and the migrations that are compiled into the application take each other's work for their own.

use crate::project::{OUR_TABLES, OURS, Project};

/// A folder with nothing but the migrations of this crate.
fn migrations_only() -> Project {
    let project = Project::new();
    for file in ["up.sql", "down.sql"] {
        project.copy_from_crate(
            &format!("migrations/sqlite/{OURS}/{file}"),
            &format!("migrations/{OURS}/{file}"),
        );
    }
    project
}

#[test]
fn after_the_command_an_application_finds_nothing_pending() {
    let project = migrations_only();
    project.diesel("migration run");
    project.append_an_event();
    assert!(project.start().is_empty());
    assert_eq!(project.count_events(), 1);
}

#[test]
fn after_an_application_the_command_finds_nothing_pending() {
    let project = migrations_only();
    assert_eq!(project.start(), ["00000000000100des"]);
    project.append_an_event();
    assert!(!project.is_pending());
    assert_eq!(project.migrations(), [(true, OURS.to_owned())]);
    project.diesel("migration run");
    assert_eq!(project.count_events(), 1);
}

#[test]
fn what_an_application_applied_the_command_reverts_and_the_other_way_round() {
    let project = migrations_only();
    project.start();
    project.diesel("migration revert");
    assert!(project.tables().is_empty());
    assert_eq!(project.start(), ["00000000000100des"]);
    project.diesel("migration redo");
    assert_eq!(project.tables(), OUR_TABLES);
    assert!(project.start().is_empty());
}
