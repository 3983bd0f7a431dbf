//! Each problem that the doctor finds is gone once its advice was pasted.

use diesel::sqlite::SqliteConnection;
use diesel_event_store::RecordedEvent;
use diesel_event_store::projection::{self, Projection, ProjectionState};
use test_support::execute;
use test_support::sqlite_file::{SqliteFile, number};

use super::advice::{advice, mends, paste, told};
use super::run::{answer, command, text};
use super::shop::{append, shop, url};

/// Names that a shell would take for something else.
const NAMES: [&str; 4] = ["two words", "it's $HOME; *", "-x", "größe\"\\"];

fn apply(conn: &mut SqliteConnection, name: &str, version: i32) {
    let applied = Projection::new(name, version, |_: &mut SqliteConnection, _: &RecordedEvent| Ok(()));
    applied.catch_up(conn).unwrap();
}

fn states(file: &SqliteFile, name: &str) -> Vec<ProjectionState> {
    let statuses = projection::status(&mut file.connect()).unwrap();
    let of_the_name = statuses.iter().filter(|status| status.projection().name() == name);
    of_the_name.map(|status| status.partitions()[0].state()).collect()
}

#[test]
fn the_version_that_has_stopped_is_the_one_that_is_resumed() {
    let file = SqliteFile::migrated();
    let mut conn = file.connect();
    append(&mut conn, "o-1", &["OrderPlaced"]);
    for name in NAMES {
        apply(&mut conn, name, 1);
        apply(&mut conn, name, 2);
    }
    execute(&mut conn, "UPDATE projection_checkpoints SET state = 'failed' WHERE projection_version = 1")
        .unwrap();
    for name in NAMES {
        assert_eq!(states(&file, name), [ProjectionState::Failed, ProjectionState::Idle]);
        mends(&url(&file), &format!("partition 0 of {name} version 1 has stopped"));
        assert_eq!(states(&file, name), [ProjectionState::Idle, ProjectionState::Idle]);
    }
    assert_eq!(told(&url(&file)), []);
}

#[test]
fn a_projection_that_has_applied_another_log_begins_anew() {
    let file = SqliteFile::migrated();
    let mut conn = file.connect();
    append(&mut conn, "o-1", &["OrderPlaced", "OrderPaid"]);
    for name in NAMES {
        apply(&mut conn, name, 1);
        apply(&mut conn, name, 2);
    }
    execute(
        &mut conn,
        "UPDATE projection_checkpoints SET last_global_position = 99 WHERE projection_version = 1; \
         UPDATE projection_checkpoints SET last_event_id = '00000000-0000-0000-0000-000000000000' \
         WHERE projection_version = 2",
    )
    .unwrap();
    for name in NAMES {
        mends(
            &url(&file),
            &format!("the checkpoint of {name} version 1, 99, is beyond the end of the log, 2"),
        );
        mends(
            &url(&file),
            &format!("where {name} version 2 has applied its last event, the log has another one"),
        );
    }
    assert_eq!(number(&mut conn, "SELECT MAX(last_global_position) FROM projection_checkpoints"), 0);
    execute(
        &mut conn,
        "UPDATE projection_checkpoints SET last_global_position = 99, state = 'retired'; \
         UPDATE projection_checkpoints SET last_global_position = 2, state = 'active' \
         WHERE projection_version = 2",
    )
    .unwrap();
    assert_eq!(told(&url(&file)), [], "nothing is expected of what is retired");
}

#[test]
fn what_the_migrations_have_made_has_to_be_there() {
    let shop = shop();
    let mut conn = shop.connect();
    answer(&url(&shop), &["projections", "discard", "mails", "--yes"]);
    execute(&mut conn, "DELETE FROM parked_events").unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE sql IS NOT NULL \
                 AND type IN ('table', 'trigger', 'index') AND name <> 'sqlite_sequence' ORDER BY name";
    let there = test_support::names(&mut conn, names).unwrap();
    for trigger in there.iter().filter(|name| name.contains("_refuse_")) {
        execute(&mut conn, &format!("DROP TRIGGER {trigger}")).unwrap();
        mends(&url(&shop), &format!("the trigger {trigger} is missing"));
    }
    for table in ["append_keys", "snapshots", "parked_events", "projection_workers", "aggregate_heads"] {
        execute(&mut conn, &format!("DROP TABLE {table}")).unwrap();
        mends(&url(&shop), &format!("the table {table} is missing"));
    }
    mends(&url(&shop), "with a wrong head");
    assert_eq!(test_support::names(&mut conn, names).unwrap(), there);
    assert_eq!(told(&url(&shop)), []);
    execute(&mut conn, "ALTER TABLE event_log RENAME TO elsewhere").unwrap();
    assert!(advice(&url(&shop), "the table event_log is missing").starts_with("restore a backup"));
}

#[test]
fn positions_that_have_come_to_their_end_are_counted_again() {
    let shop = shop();
    let mut conn = shop.connect();
    answer(&url(&shop), &["projections", "discard", "mails", "--yes"]);
    execute(&mut conn, "UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'events'").unwrap();
    mends(&url(&shop), "positions have been counted up to the highest there is");
}

#[test]
fn the_ledger_has_to_fit_the_tables() {
    let file = SqliteFile::migrated();
    let mut conn = file.connect();
    append(&mut conn, "o-1", &["OrderPlaced"]);
    // An application's own migrations are in it, too.
    execute(&mut conn, "INSERT INTO __diesel_schema_migrations (version) VALUES ('2026-01-01-000000')")
        .unwrap();
    assert_eq!(told(&url(&file)), []);
    execute(&mut conn, "INSERT INTO __diesel_schema_migrations (version) VALUES ('00000000000900des')")
        .unwrap();
    let newer = "the event store migration 00000000000900des, which this command does not know";
    assert!(advice(&url(&file), newer).contains("build the command anew"));
    execute(&mut conn, "DROP TABLE __diesel_schema_migrations").unwrap();
    mends(&url(&file), "__diesel_schema_migrations does not say so");
    assert_eq!(answer(&url(&file), &["migrate"]), "the tables are up to date\n");

    let empty = SqliteFile::absent();
    drop(empty.connect());
    mends(&url(&empty), "tables are missing");
    assert_eq!(told(&url(&empty)), []);
}

#[test]
fn a_large_write_ahead_log_is_found() {
    let shop = SqliteFile::migrated();
    let mut conn = shop.connect();
    execute(
        &mut conn,
        "PRAGMA wal_autocheckpoint = 0; CREATE TABLE pictures (picture BLOB); \
         INSERT INTO pictures VALUES (zeroblob(68000000))",
    )
    .unwrap();
    mends(&url(&shop), "-wal has 6");
}

#[test]
fn a_file_that_cannot_be_in_wal_mode_is_found() {
    let shop = SqliteFile::migrated();
    execute(&mut shop.connect_plainly(), "PRAGMA journal_mode = DELETE").unwrap();
    // It has no memory that processes share.
    let url = format!("file:{}?vfs=unix-dotfile", url(&shop));
    assert_eq!(advice(&url, "the journal mode is not WAL"), "SQL: PRAGMA journal_mode = WAL;");
}

#[test]
fn the_database_is_named_where_the_environment_does_not() {
    let shop = SqliteFile::migrated();
    append(&mut shop.connect(), "o-1", &["OrderPlaced"]);
    execute(&mut shop.connect(), "DELETE FROM aggregate_heads").unwrap();
    let doctor = |arguments: &[&str]| text(&command(arguments).output().unwrap().stdout);
    let told = doctor(&["doctor", "--database-url", &url(&shop)]);
    let typed = told.lines().last().unwrap().trim();
    assert_eq!(typed, format!("type: diesel-event-store --database-url {} repair", url(&shop)));
    paste("elsewhere.db", typed);
    assert_eq!(doctor(&["doctor", "--database-url", &url(&shop)]), "no problem was found\n");
}

/// Otherwise what is pasted would open the log of another database.
#[test]
fn a_closed_log_is_opened_where_it_is() {
    let shop = SqliteFile::migrated();
    answer(&url(&shop), &["freeze", "for a while", "--yes"]);
    let doctor = || text(&command(&["doctor", "--database-url", &url(&shop)]).output().unwrap().stdout);
    let typed = format!("type: diesel-event-store --database-url {} unfreeze", url(&shop));
    assert_eq!(doctor().lines().last().unwrap().trim(), typed);
    let note = r#"{"import":"2026-01-01T00:00:00Z","position":0,"chain":"","is_complete":false}"#;
    execute(&mut shop.connect(), &format!("UPDATE event_log SET state = 'receiving', note = '{note}'"))
        .unwrap();
    let typed = format!("diesel-event-store --database-url {} import --discard --yes", url(&shop));
    assert!(doctor().trim_end().ends_with(&typed), "{}", doctor());
}
