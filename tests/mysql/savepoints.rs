//! What a nested transaction leaves behind that is rolled back, in the application's transaction that goes
//! on.

use diesel::Connection;
use diesel::mysql::MysqlConnection;
use diesel_event_store::{AppendError, DatabaseErrorKind, Error, ExpectedVersion, NewEvent, StreamId};
use test_support::{Result, counted, create_app_rows, execute, insert_app_row};

use super::database::{Database, STORE, append, begin, commit, is_mariadb, kind_of, rollback};

const ISOLATION_LEVELS: [&str; 2] = ["READ COMMITTED", "REPEATABLE READ"];

fn stream(name: &str) -> Result<StreamId> {
    Ok(StreamId::new("Test", name)?)
}

/// Appends to aggregates around one, old and new, and does not wait long.
fn append_around(db: &Database) -> Result<(), AppendError> {
    let mut other = db.connect().expect("a connection");
    execute(&mut other, "SET SESSION innodb_lock_wait_timeout = 1")?;
    ["aa", "bb", "m", "z"].iter().try_for_each(|name| append(&mut other, name).map(drop))
}

/// A transaction that has written before, and in which something is refused.
fn refuse(
    conn: &mut MysqlConnection,
    refused: impl FnOnce(&mut MysqlConnection) -> Result<AppendError>,
    then: impl FnOnce() -> Result<(), AppendError>,
) -> Result {
    begin(conn)?;
    insert_app_row(conn, "row")?;
    let refused = refused(conn)?;
    assert!(matches!(refused, AppendError::Conflict(_) | AppendError::DuplicateEventId { .. }), "{refused}");
    then()?;
    commit(conn)
}

#[test]
fn a_refused_append_keeps_no_other_append_waiting() -> Result {
    for isolation_level in ISOLATION_LEVELS {
        let db = Database::migrated()?;
        let mut conn = db.connect_in(isolation_level)?;
        create_app_rows(&mut conn)?;
        let recorded: NewEvent = counted(1)?.remove(0);
        STORE.append(&mut conn, &stream("a")?, ExpectedVersion::Any, std::slice::from_ref(&recorded))?;
        append(&mut conn, "n")?;

        for name in ["a", "b"] {
            let batch = [counted(1)?.remove(0), recorded.clone()];
            let refused = |conn: &mut MysqlConnection| {
                let refused = STORE.append(conn, &stream(name)?, ExpectedVersion::Any, &batch);
                Ok(refused.expect_err("the second is recorded"))
            };
            refuse(&mut conn, refused, || append_around(&db))?;
            assert_eq!(STORE.version(&mut conn, &stream("b")?)?, 0, "nothing is left of it");
        }
        let conflict = |conn: &mut MysqlConnection| {
            let refused = STORE.append(conn, &stream("n")?, ExpectedVersion::NoStream, &counted(1)?);
            Ok(refused.expect_err("it exists"))
        };
        refuse(&mut conn, conflict, || append_around(&db))?;
    }
    Ok(())
}

/// The application's own, after an append in it that went through.
fn roll_back_nested(db: &Database, isolation_level: &str) -> Result<Result<(), AppendError>> {
    let mut conn = db.connect_in(isolation_level)?;
    append(&mut conn, "a")?;
    begin(&mut conn)?;
    append(&mut conn, "n")?;
    begin(&mut conn)?;
    append(&mut conn, "b")?;
    rollback(&mut conn)?;
    let meanwhile = append_around_new(db);
    commit(&mut conn)?;
    append_around(db)?;
    Ok(meanwhile)
}

/// To aggregates that the open transaction has not moved.
fn append_around_new(db: &Database) -> Result<(), AppendError> {
    let mut other = db.connect().expect("a connection");
    execute(&mut other, "SET SESSION innodb_lock_wait_timeout = 1")?;
    ["bb", "z"].iter().try_for_each(|name| append(&mut other, name).map(drop))
}

#[test]
fn a_nested_transaction_that_is_rolled_back_keeps_nobody_waiting_in_read_committed() -> Result {
    let db = Database::migrated()?;
    roll_back_nested(&db, "READ COMMITTED")??;
    Ok(())
}

/// InnoDB of MySQL, and not of MariaDB, keeps the gap in which the events were, until the transaction ends.
#[test]
fn in_repeatable_read_others_are_told_so_by_an_error_that_can_be_retried() -> Result {
    let db = Database::migrated()?;
    let waited = roll_back_nested(&db, "REPEATABLE READ")?;
    if is_mariadb(&mut db.connect()?)? {
        waited?;
    } else {
        let waited = waited.expect_err("MySQL keeps the gap");
        assert!(waited.is_retryable());
        assert_eq!(kind_of(waited), DatabaseErrorKind::Locked);
    }
    Ok(())
}

/// diesel's nested transactions, as an application writes them.
#[test]
fn what_is_refused_in_a_nested_transaction_is_undone_alone() -> Result {
    for isolation_level in ISOLATION_LEVELS {
        let db = Database::migrated()?;
        let mut conn = db.connect_in(isolation_level)?;
        let recorded = counted(1)?;
        conn.transaction::<_, Error, _>(|conn| {
            STORE.append(conn, &StreamId::new("Test", "kept")?, ExpectedVersion::Any, &recorded)?;
            let nested = conn.transaction::<_, Error, _>(|conn| {
                append(conn, "undone")?;
                STORE.append(conn, &StreamId::new("Test", "new")?, ExpectedVersion::NoStream, &recorded)?;
                Ok(())
            });
            assert!(matches!(nested, Err(Error::Append(AppendError::DuplicateEventId { .. }))), "{nested:?}");
            append(conn, "after")?;
            Ok(())
        })?;
        assert_eq!(super::database::log(&mut conn)?, ["kept", "after"], "{isolation_level}");
    }
    Ok(())
}
