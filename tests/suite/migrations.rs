//! The event store's tables, beside the application's own.

use diesel::Connection;
use diesel::result::Error::RollbackTransaction;
use diesel_event_store::{EventStore, ExpectedVersion, MigrationError, run_pending_migrations};
use test_support::{
    Result, TestDatabase, at_once, count, counted, create_app_rows, execute, insert_app_row, table_exists,
    user,
};

tests! {
    they_are_applied_once,
    many_may_start_at_once,
    once_they_are_applied_they_are_only_read,
    they_are_part_of_the_applications_transaction,
    a_database_of_a_newer_version_is_refused,
    the_applications_own_migrations_are_no_concern,
    a_table_of_the_application_is_not_taken_over,
    a_view_of_the_application_is_not_taken_over,
}

const TABLES: [&str; 9] = [
    "events",
    "event_rewrites",
    "aggregate_heads",
    "append_keys",
    "snapshots",
    "projection_checkpoints",
    "projection_workers",
    "parked_events",
    "event_seals",
];
const LEDGER: &str = "__diesel_schema_migrations";

/// Has a connection to SQLite, PostgreSQL or MySQL refuse to write.
const READ_ONLY: [&str; 3] =
    ["PRAGMA query_only = ON", "SET default_transaction_read_only = on", "SET SESSION TRANSACTION READ ONLY"];

fn they_are_applied_once<D: TestDatabase>() -> Result {
    let db = D::create()?;
    let mut conn = db.connect()?;
    assert_eq!(run_pending_migrations(&mut conn)?, ["00000000000100des"]);
    assert!(TABLES.iter().all(|table| table_exists(&mut conn, table)));
    EventStore::new().append(&mut conn, &user("alice")?, ExpectedVersion::Any, &counted(1)?)?;

    assert!(run_pending_migrations(&mut conn)?.is_empty());
    assert!(run_pending_migrations(&mut db.connect()?)?.is_empty());
    assert_eq!(count(&mut conn, "events")?, 1);
    assert_eq!(count(&mut conn, LEDGER)?, 1);
    Ok(())
}

/// As on a replica, or by a connection that may only read.
fn once_they_are_applied_they_are_only_read<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    assert!(READ_ONLY.iter().any(|sql| execute(&mut conn, sql).is_ok()), "one of them is the database's");
    create_app_rows(&mut conn).expect_err("it only reads");
    assert!(run_pending_migrations(&mut conn)?.is_empty());
    Ok(())
}

fn many_may_start_at_once<D: TestDatabase>() -> Result {
    for _ in 0..5 {
        let db = D::create()?;
        let mut conns = (0..6).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
        let applied = at_once(&mut conns, |_, conn| run_pending_migrations(conn));
        let applied = applied.into_iter().collect::<Result<Vec<_>, _>>()?;
        assert_eq!(applied.concat(), ["00000000000100des"]);
        assert_eq!(count(&mut conns[0], LEDGER)?, 1);
        EventStore::new().append(&mut conns[0], &user("alice")?, ExpectedVersion::Any, &counted(1)?)?;
    }
    Ok(())
}

fn they_are_part_of_the_applications_transaction<D: TestDatabase>() -> Result {
    let db = D::create()?;
    let mut conn = db.connect()?;
    if D::CREATING_COMMITS {
        return are_refused_in_a_transaction(&db, &mut conn);
    }
    let rolled_back: Result = conn.transaction(|conn| {
        assert_eq!(run_pending_migrations(conn)?.len(), 1);
        EventStore::new().append(conn, &user("alice")?, ExpectedVersion::Any, &counted(1)?)?;
        Err(RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    assert!(!TABLES.iter().any(|table| table_exists(&mut conn, table)));

    let applied = conn.transaction(run_pending_migrations)?;
    assert_eq!(applied.len(), 1);
    let mut other = db.connect()?;
    assert!(TABLES.iter().all(|table| table_exists(&mut other, table)));
    assert!(run_pending_migrations(&mut other)?.is_empty());
    Ok(())
}

/// Only if there are any: an application may ask for them wherever it is.
fn are_refused_in_a_transaction<D: TestDatabase>(db: &D, conn: &mut D::Conn) -> Result {
    create_app_rows(conn)?;
    conn.transaction(|conn| -> Result {
        insert_app_row(conn, "row")?;
        let refused = run_pending_migrations(conn).unwrap_err();
        assert!(matches!(refused, MigrationError::InTransaction), "{refused:?}");
        assert!(!refused.is_retryable());
        assert_eq!(count(&mut db.connect()?, "app_rows")?, 0, "the transaction is still open");
        Ok(())
    })?;
    assert_eq!(count(&mut db.connect()?, "app_rows")?, 1);
    assert!(!table_exists(conn, LEDGER) && !TABLES.iter().any(|table| table_exists(conn, table)));

    assert_eq!(run_pending_migrations(conn)?.len(), 1);
    assert!(conn.transaction(run_pending_migrations)?.is_empty());
    Ok(())
}

fn a_database_of_a_newer_version_is_refused<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for version in ["00000000099800des", "00000000099900des", "00000000099700des"] {
        execute(&mut conn, &format!("INSERT INTO {LEDGER} (version) VALUES ('{version}')"))?;
    }
    let refused = run_pending_migrations(&mut conn).unwrap_err();
    assert!(matches!(
        &refused,
        MigrationError::NewerSchema { version, .. } if version == "00000000099900des"
    ));
    assert!(refused.to_string().contains("upgrade the crate"));
    assert!(!refused.is_retryable());
    assert_eq!(count(&mut conn, LEDGER)?, 4);
    Ok(())
}

fn the_applications_own_migrations_are_no_concern<D: TestDatabase>() -> Result {
    let db = D::create()?;
    let mut conn = db.connect()?;
    execute(
        &mut conn,
        &format!(
            "CREATE TABLE {LEDGER} (version VARCHAR(50) PRIMARY KEY NOT NULL, \
             run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"
        ),
    )?;
    for version in ["00000000000000", "20260101120000", "99999999999999", "nodes", "20260101120000des"] {
        execute(&mut conn, &format!("INSERT INTO {LEDGER} (version) VALUES ('{version}')"))?;
    }
    assert_eq!(run_pending_migrations(&mut conn)?, ["00000000000100des"]);
    execute(&mut conn, &format!("INSERT INTO {LEDGER} (version) VALUES ('20270101120000')"))?;
    assert!(run_pending_migrations(&mut conn)?.is_empty());
    assert_eq!(count(&mut conn, LEDGER)?, 7);
    Ok(())
}

fn a_view_of_the_application_is_not_taken_over<D: TestDatabase>() -> Result {
    let db = D::create()?;
    let mut conn = db.connect()?;
    execute(&mut conn, "CREATE VIEW events AS SELECT 1 AS one")?;
    let refused = run_pending_migrations(&mut conn).unwrap_err();
    assert!(
        matches!(&refused, MigrationError::TableExists { table, .. } if table == "events"),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("view events"), "{refused}");
    Ok(())
}

fn a_table_of_the_application_is_not_taken_over<D: TestDatabase>() -> Result {
    for own in TABLES {
        let db = D::create()?;
        let mut conn = db.connect()?;
        execute(&mut conn, &format!("CREATE TABLE {own} (id INTEGER PRIMARY KEY)"))?;
        execute(&mut conn, &format!("INSERT INTO {own} VALUES (7)"))?;

        let refused = run_pending_migrations(&mut conn).unwrap_err();

        assert!(matches!(&refused, MigrationError::TableExists { table, .. } if table == own), "{refused:?}");
        assert!(refused.to_string().contains("table "), "{refused}");
        assert!(refused.to_string().contains(own), "{refused}");
        assert_eq!(count(&mut conn, &format!("{own} WHERE id = 7"))?, 1);
        for table in TABLES {
            assert_eq!(
                table_exists(&mut conn, table),
                table == own,
                "{table} beside the application's {own}"
            );
        }
        let recorded = if table_exists(&mut conn, LEDGER) { count(&mut conn, LEDGER)? } else { 0 };
        assert_eq!(recorded, 0);

        // Once it is out of the way, they are applied.
        execute(&mut conn, &format!("ALTER TABLE {own} RENAME TO moved"))?;
        assert_eq!(run_pending_migrations(&mut conn)?.len(), 1);
    }
    Ok(())
}
