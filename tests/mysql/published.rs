//! Where it cannot be found out who is appending, the log is read up to what was published.

use diesel::Connection;
use diesel_event_store::{DatabaseErrorKind, LogOrdering, Position};
use test_support::{Result, app_rows, create_app_rows, execute, insert_app_row};

use super::database::{Database, STORE, append, begin, commit, kind_of, log, rollback, text};

#[test]
fn a_transaction_reads_up_to_what_was_published() -> Result {
    for isolation_level in ["READ COMMITTED", "REPEATABLE READ"] {
        let db = Database::migrated()?;
        let (mut conn, mut other) = (db.connect_in(isolation_level)?, db.connect()?);
        append(&mut other, "first")?;
        let refused = conn.transaction(|conn| STORE.last_position(conn)).unwrap_err();
        assert!(refused.to_string().contains("publish_position"), "{refused}");
        assert_eq!(kind_of(refused), DatabaseErrorKind::NotPublished);

        let published = STORE.publish_position(&mut other)?;
        let later = append(&mut other, "second")?.last_position();
        conn.transaction(|conn| -> Result {
            assert_eq!(STORE.last_position(conn)?, published);
            assert_eq!(STORE.publish_position(conn)?, published, "nothing new is found out here");
            assert_eq!(log(conn)?, ["first"]);
            Ok(())
        })?;
        assert_eq!(STORE.publish_position(&mut other)?, later);
        conn.transaction(|conn| -> Result {
            assert_eq!(log(conn)?, ["first", "second"]);
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn a_log_without_events_needs_no_publishing() -> Result {
    let db = Database::migrated()?;
    db.connect()?.transaction(|conn| -> Result {
        assert!(log(conn)?.is_empty());
        Ok(())
    })
}

#[test]
fn a_transaction_does_not_see_its_own_events_in_the_log() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut other) = (db.connect()?, db.connect()?);
    append(&mut conn, "before")?;
    STORE.publish_position(&mut conn)?;
    conn.transaction(|conn| -> Result {
        append(conn, "own")?;
        append(&mut other, "other")?;
        assert_eq!(STORE.last_position(&mut other)?, Position::new(1)?);
        assert_eq!(log(conn)?, ["before"]);
        Ok(())
    })?;
    assert_eq!(log(&mut conn)?, ["before", "own", "other"]);
    Ok(())
}

/// The whole server is read-only to everybody who may not write then.
#[test]
fn a_server_that_is_read_only_is_read_up_to_what_was_published() -> Result {
    let db = Database::in_a_server_of_its_own()?;
    let mut admin = db.connect()?;
    append(&mut admin, "first")?;
    STORE.publish_position(&mut admin)?;
    append(&mut admin, "second")?;
    let mut user = db.connect_as("reader", "SELECT, INSERT, UPDATE, DELETE")?;

    execute(&mut admin, "SET GLOBAL read_only = ON")?;
    let outcome = (log(&mut admin), log(&mut user), append(&mut user, "third"));
    execute(&mut admin, "SET GLOBAL read_only = OFF")?;

    // Also to an administrator, who might be on a replica, where nobody appends.
    assert_eq!(outcome.0?, ["first"]);
    assert_eq!(outcome.1?, ["first"]);
    assert_eq!(kind_of(outcome.2.unwrap_err()), DatabaseErrorKind::ReadOnly);
    assert_eq!(log(&mut user)?, ["first", "second"]);
    Ok(())
}

#[test]
fn who_may_only_read_reads_up_to_what_was_published() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    append(&mut conn, "first")?;
    STORE.publish_position(&mut conn)?;
    append(&mut conn, "second")?;
    let mut user = db.connect_as("reader", "SELECT")?;
    assert_eq!(log(&mut user)?, ["first"]);
    assert_eq!(kind_of(append(&mut user, "third").unwrap_err()), DatabaseErrorKind::NotPermitted);
    STORE.publish_position(&mut conn)?;
    assert_eq!(log(&mut user)?, ["first", "second"]);
    Ok(())
}

/// Of which diesel knows nothing. A lock would stay until it ends, and to begin another would commit it.
#[test]
fn in_a_foreign_transaction_reading_neither_locks_nor_commits() -> Result {
    for begin_sql in ["START TRANSACTION", "XA START 'x'"] {
        let db = Database::migrated()?;
        let (mut conn, mut other) = (db.connect()?, db.connect()?);
        create_app_rows(&mut other)?;
        append(&mut other, "first")?;
        STORE.publish_position(&mut other)?;
        append(&mut other, "second")?;

        execute(&mut conn, begin_sql)?;
        insert_app_row(&mut conn, "row")?;
        assert_eq!(log(&mut conn)?, ["first"], "{begin_sql}");
        assert!(app_rows(&mut other)?.is_empty(), "{begin_sql}");
        execute(&mut other, "SET SESSION innodb_lock_wait_timeout = 1")?;
        append(&mut other, "third")?;
        assert_eq!(log(&mut other)?, ["first", "second", "third"], "{begin_sql}");

        if begin_sql.starts_with("XA") {
            execute(&mut conn, "XA END 'x'")?;
            execute(&mut conn, "XA ROLLBACK 'x'")?;
        } else {
            execute(&mut conn, "ROLLBACK")?;
        }
        assert!(app_rows(&mut other)?.is_empty(), "{begin_sql}");
    }
    Ok(())
}

/// Without autocommit a first read would be enough to begin a transaction.
#[test]
fn without_autocommit_reading_leaves_no_lock_behind() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut other) = (db.connect()?, db.connect()?);
    append(&mut other, "first")?;
    execute(&mut conn, "SET autocommit = 0")?;
    assert!(STORE.last_position(&mut conn).is_err(), "it would see no more than now");
    execute(&mut other, "SET SESSION innodb_lock_wait_timeout = 1")?;
    append(&mut other, "second")?;
    assert_eq!(log(&mut other)?, ["first", "second"]);
    Ok(())
}

#[test]
fn in_the_gapless_ordering_every_transaction_reads_what_its_snapshot_has() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut other) = (db.connect_in("REPEATABLE READ")?, db.connect()?);
    STORE.set_log_ordering(&mut conn, LogOrdering::Gapless)?;
    append(&mut other, "first")?;
    begin(&mut conn)?;
    assert_eq!(log(&mut conn)?, ["first"]);
    append(&mut other, "second")?;
    assert_eq!(log(&mut conn)?, ["first"]);
    commit(&mut conn)?;
    assert_eq!(log(&mut conn)?, ["first", "second"]);
    Ok(())
}

#[test]
fn what_was_published_stays_so_whatever_is_rolled_back() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut other) = (db.connect()?, db.connect()?);
    append(&mut conn, "first")?;
    begin(&mut other)?;
    append(&mut other, "undone")?;
    let last = append(&mut conn, "second")?.last_position();
    rollback(&mut other)?;
    assert_eq!(STORE.publish_position(&mut conn)?, last);
    assert_eq!(text(&mut conn, "(SELECT safe_position FROM event_log)")?, last.to_string());
    assert_eq!(log(&mut conn)?, ["first", "second"]);
    Ok(())
}
