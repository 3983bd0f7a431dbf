//! An application with migrations of its own, in the same database and the same ledger.

use crate::database::CliDatabase;
use crate::project::{OURS, Project};

const USERS: &str = "2026-01-01-000000_create_users";
const ORDERS: &str = "2026-02-01-000000_create_orders";

fn application<D: CliDatabase>() -> Project<D> {
    let project = Project::new();
    project.write("diesel.toml", "[migrations_directory]\ndir = \"migrations\"\n");
    for (migration, table) in [(USERS, "users"), (ORDERS, "orders")] {
        project.write(
            &format!("migrations/{migration}/up.sql"),
            &format!("CREATE TABLE {table} (id INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL);"),
        );
        project.write(&format!("migrations/{migration}/down.sql"), &format!("DROP TABLE {table};"));
    }
    project
}

/// An application that has copied the event store's migrations to its own.
fn application_with_copy<D: CliDatabase>() -> Project<D> {
    let project = application::<D>();
    for file in ["up.sql", "down.sql"] {
        project.copy_from_crate(
            &format!("{}/{OURS}/{file}", D::MIGRATIONS),
            &format!("migrations/{OURS}/{file}"),
        );
    }
    project
}

fn all_tables<D: CliDatabase>() -> Vec<&'static str> {
    let mut tables = [D::OUR_TABLES, &["orders", "users"]].concat();
    tables.sort();
    tables
}

fn expect_migrations<D: CliDatabase>(project: &Project<D>, expected: &[(bool, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(applied, name)| (*applied, name.to_string())).collect();
    assert_eq!(project.migrations(), expected);
}

/// Everything that the command offers, on a database that holds the application's tables and an event store.
fn expect_the_command_to_work<D: CliDatabase>(project: &Project<D>) {
    project.append_an_event();
    assert_eq!(project.tables(), all_tables::<D>());
    expect_migrations(project, &[(true, USERS), (true, ORDERS)]);
    assert!(!project.is_pending());

    project.diesel("migration redo");
    assert_eq!(project.tables(), all_tables::<D>());
    project.diesel("migration redo --number 2");
    assert_eq!(project.tables(), all_tables::<D>());

    project.diesel("migration revert");
    expect_migrations(project, &[(true, USERS), (false, ORDERS)]);
    project.diesel("migration revert");
    expect_migrations(project, &[(false, USERS), (false, ORDERS)]);
    assert_eq!(project.tables(), D::OUR_TABLES);
    assert!(project.is_pending());

    project.diesel("migration run");
    assert_eq!(project.tables(), all_tables::<D>());
    assert!(project.start().is_empty());
    assert_eq!(project.count_events(), 1);
}

pub fn the_command_works_when_the_event_store_came_first<D: CliDatabase>() {
    let project = application::<D>();
    project.start();
    assert!(project.is_pending());
    project.diesel("migration run");
    expect_the_command_to_work(&project);
}

pub fn the_command_works_when_the_application_came_first<D: CliDatabase>() {
    let project = application::<D>();
    project.diesel("migration run");
    assert_eq!(project.start(), ["00000000000100des"]);
    expect_the_command_to_work(&project);
}

pub fn the_command_works_when_the_event_store_came_between<D: CliDatabase>() {
    let project = application::<D>();
    project.diesel("migration run");
    project.diesel("migration revert");
    project.start();
    project.diesel("migration run");
    expect_the_command_to_work(&project);
}

/// The command knows nothing of the event store's migrations here, so it cannot revert them by mistake.
pub fn reverting_more_than_the_application_has_leaves_the_events<D: CliDatabase>() {
    let project = application::<D>();
    project.start();
    project.diesel("migration run");
    project.append_an_event();
    let complaint = project.diesel_fails("migration revert --all");
    assert!(complaint.contains("00000000000100des"), "{complaint}");
    assert_eq!(project.tables(), D::OUR_TABLES);
    assert_eq!(project.count_events(), 1);
}

pub fn the_schema_of_the_whole_database_can_be_printed<D: CliDatabase>() {
    let project = application::<D>();
    project.diesel("migration run");
    project.start();
    let schema = project.diesel("print-schema");
    for table in all_tables::<D>() {
        assert!(schema.contains(&format!("\n    {table} (")), "{table} is missing:\n{schema}");
    }
}

pub fn the_application_can_keep_the_event_store_out_of_its_schema<D: CliDatabase>() {
    let project = application::<D>();
    let except_tables: Vec<_> = D::OUR_TABLES.iter().map(|table| format!("^{table}$")).collect();
    project.write(
        "diesel.toml",
        &format!(
            "[migrations_directory]\ndir = \"migrations\"\n\n[print_schema]\nfile = \"src/schema.rs\"\n\
             filter = {{ except_tables = {except_tables:?} }}\n"
        ),
    );
    project.start();
    project.diesel("migration run");
    let schema = project.read("src/schema.rs");
    assert!(schema.contains("users (id)") && schema.contains("orders (id)"), "{schema}");
    assert!(!D::OUR_TABLES.iter().any(|table| schema.contains(table)), "{schema}");
}

pub fn copied_migrations_are_applied_once_when_the_command_came_first<D: CliDatabase>() {
    let project = application_with_copy::<D>();
    project.diesel("migration run");
    project.append_an_event();
    assert!(project.start().is_empty());
    expect_migrations(&project, &[(true, OURS), (true, USERS), (true, ORDERS)]);
    assert_eq!(project.count_events(), 1);
}

pub fn copied_migrations_are_applied_once_when_the_application_started_first<D: CliDatabase>() {
    let project = application_with_copy::<D>();
    project.start();
    project.append_an_event();
    expect_migrations(&project, &[(true, OURS), (false, USERS), (false, ORDERS)]);
    project.diesel("migration run");
    assert!(!project.is_pending());
    assert_eq!(project.tables(), all_tables::<D>());
    assert_eq!(project.count_events(), 1);
}

pub fn copied_migrations_are_reverted_and_redone_with_the_rest<D: CliDatabase>() {
    let project = application_with_copy::<D>();
    project.start();
    project.diesel("migration run");
    project.diesel("migration redo --all");
    assert_eq!(project.tables(), all_tables::<D>());
    project.diesel("migration revert --all");
    assert!(project.tables().is_empty());
    assert_eq!(project.start(), ["00000000000100des"]);
}
