//! CREATE TABLE commits, so a run of migrations can be interrupted half-way.

use diesel::Connection;
use diesel_event_store::{MigrationError, run_pending_migrations};
use test_support::{Result, app_rows, create_app_rows, execute, insert_app_row, table_exists};

use super::database::{Database, append, log};

const TABLES: [&str; 11] = [
    "events",
    "event_rewrites",
    "aggregate_heads",
    "append_keys",
    "snapshots",
    "projection_checkpoints",
    "projection_workers",
    "parked_events",
    "event_seals",
    "event_fence",
    "event_log",
];
const LEFTOVER: &str = "(id INT PRIMARY KEY) COMMENT = 'diesel_event_store'";

#[test]
fn leftovers_of_an_interrupted_run_are_made_anew() -> Result {
    for leftovers in 1..=TABLES.len() {
        let db = Database::empty()?;
        let mut conn = db.connect()?;
        for table in &TABLES[..leftovers] {
            execute(&mut conn, &format!("CREATE TABLE {table} {LEFTOVER}"))?;
        }
        assert_eq!(run_pending_migrations(&mut conn)?.len(), 1);
        append(&mut conn, "event")?;
        assert_eq!(log(&mut conn)?, ["event"]);
    }
    Ok(())
}

/// Somebody may have lost the ledger, but not the events.
#[test]
fn events_are_never_dropped() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    append(&mut conn, "event")?;
    execute(&mut conn, "DELETE FROM __diesel_schema_migrations")?;
    let refused = run_pending_migrations(&mut conn).unwrap_err();
    assert!(matches!(refused, MigrationError::TableExists { .. }), "{refused:?}");
    assert_eq!(log(&mut conn)?, ["event"]);
    Ok(())
}

#[test]
fn a_table_of_the_application_is_seen_before_anything_is_made() -> Result {
    for own in TABLES {
        for definition in
            [format!("TABLE {own} (id INT PRIMARY KEY)"), format!("VIEW {own} AS SELECT 1 AS one")]
        {
            let db = Database::empty()?;
            let mut conn = db.connect()?;
            execute(&mut conn, &format!("CREATE {definition}"))?;
            let refused = run_pending_migrations(&mut conn).unwrap_err();
            assert!(
                matches!(&refused, MigrationError::TableExists { table, .. } if table == own),
                "{refused:?}"
            );
            assert!(TABLES.iter().all(|table| table_exists(&mut conn, table) == (*table == own)));
        }
    }
    Ok(())
}

/// A trigger of the application's has a name of ours, which is found out when the first table is there.
#[test]
fn what_was_made_in_vain_is_dropped() -> Result {
    let db = Database::empty()?;
    let mut conn = db.connect()?;
    create_app_rows(&mut conn)?;
    execute(
        &mut conn,
        "CREATE TRIGGER events_refuse_delete BEFORE DELETE ON app_rows FOR EACH ROW SET @deleted = 1",
    )?;
    run_pending_migrations(&mut conn).unwrap_err();
    assert!(!TABLES.iter().any(|table| table_exists(&mut conn, table)));

    execute(&mut conn, "DROP TRIGGER events_refuse_delete")?;
    assert_eq!(run_pending_migrations(&mut conn)?.len(), 1);
    append(&mut conn, "event")?;
    Ok(())
}

#[test]
fn a_foreign_transaction_is_not_committed() -> Result {
    let db = Database::empty()?;
    let (mut conn, mut other) = (db.connect()?, db.connect()?);
    create_app_rows(&mut conn)?;
    execute(&mut conn, "START TRANSACTION")?;
    insert_app_row(&mut conn, "row")?;
    let refused = run_pending_migrations(&mut conn).unwrap_err();
    assert!(matches!(refused, MigrationError::InTransaction), "{refused:?}");
    assert!(app_rows(&mut other)?.is_empty());
    execute(&mut conn, "ROLLBACK")?;
    assert!(app_rows(&mut other)?.is_empty());
    Ok(())
}

#[test]
fn who_may_only_use_the_tables_may_start_when_nothing_is_pending() -> Result {
    let db = Database::migrated()?;
    let mut user = db.connect_as("worker", "SELECT, INSERT, UPDATE")?;
    assert!(run_pending_migrations(&mut user)?.is_empty());
    assert!(user.transaction(run_pending_migrations)?.is_empty());
    append(&mut user, "event")?;
    assert_eq!(log(&mut user)?, ["event"]);
    Ok(())
}

/// Each by who migrates it: the lock is not that of another database in the same server.
#[test]
fn databases_of_one_server_are_migrated_at_the_same_time() -> Result {
    let one = Database::empty()?;
    let other = one.neighbour()?;
    let mut conn = one.connect()?;
    execute(&mut conn, "DO GET_LOCK(CONCAT('diesel_event_store ', LEFT(SHA2(DATABASE(), 256), 32)), 0)")?;
    assert_eq!(run_pending_migrations(&mut other.connect()?)?.len(), 1);
    Ok(())
}
