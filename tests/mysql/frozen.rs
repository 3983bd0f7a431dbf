//! What is in the way of freezing a log on MySQL and MariaDB.

use std::time::Duration;

use diesel_event_store::operate::{FreezeError, freeze, unfreeze};
use diesel_event_store::{DatabaseErrorKind, LogOrdering};
use test_support::{LONG, Result, count, execute};

use super::asking::until_named;
use super::database::{Database, STORE, append, begin, commit, number};

fn is_in_the_way<T>(outcome: Result<T, FreezeError>) -> bool {
    matches!(outcome, Err(FreezeError::InTheWay { .. }))
}

/// It has inserted past the fence, so only the trigger waits for it. Meanwhile the log is open again.
#[test]
fn it_waits_for_an_xa_transaction() -> Result {
    let db = Database::migrated()?;
    let (mut preparing, mut conn) = (db.connect()?, db.connect()?);
    let id = format!("'order {}'", number(&mut preparing, "CONNECTION_ID()")?);
    execute(&mut preparing, &format!("XA START {id}"))?;
    execute(
        &mut preparing,
        "INSERT INTO events (aggregate_type, aggregate_id, aggregate_version, event_id, event_type, \
         event_version, payload, created_at) VALUES ('User', 'raw', 1, \
         '0198c2d4-0000-7000-8000-000000000001', 'Raw', 1, '1', '2026-01-01 00:00:00')",
    )?;
    execute(&mut preparing, &format!("XA END {id}; XA PREPARE {id}"))?;
    assert!(is_in_the_way(freeze(&mut conn, "a test", Duration::ZERO)));
    assert_eq!(STORE.log_closed(&mut conn)?, None);
    append(&mut conn, "goes on")?;
    execute(&mut preparing, &format!("XA COMMIT {id}"))?;
    assert!(freeze(&mut conn, "a test", LONG)?);
    assert_eq!(count(&mut conn, "events")?, 2);
    assert!(append(&mut conn, "late").is_err());
    Ok(())
}

#[test]
fn who_has_appended_is_named() -> Result {
    for ordering in [LogOrdering::Fenced, LogOrdering::Gapless] {
        let db = Database::migrated()?;
        let (mut hanging, mut conn) = (db.connect()?, db.connect()?);
        STORE.set_log_ordering(&mut conn, ordering)?;
        let id = number(&mut hanging, "CONNECTION_ID()")?;
        begin(&mut hanging)?;
        append(&mut hanging, "hangs")?;
        until_named(|| match freeze(&mut conn, "a test", Duration::ZERO) {
            Err(FreezeError::InTheWay { by, .. }) => Ok(by.iter().any(|holder| holder.process() == Some(id))),
            other => panic!("{other:?}"),
        })?;
        commit(&mut hanging)?;
        assert!(freeze(&mut conn, "a test", LONG)?);
        assert!(append(&mut hanging, "hangs").is_err());
    }
    Ok(())
}

/// The trigger waits for it. It can be frozen, and opened, once it has ended.
#[test]
fn a_transaction_that_has_read_is_in_the_way() -> Result {
    let db = Database::migrated()?;
    let (mut reading, mut conn) = (db.connect()?, db.connect()?);
    begin(&mut reading)?;
    assert_eq!(count(&mut reading, "events")?, 0);
    assert!(is_in_the_way(freeze(&mut conn, "a test", Duration::ZERO)));
    append(&mut conn, "open")?;
    commit(&mut reading)?;
    assert!(freeze(&mut conn, "a test", LONG)?);

    begin(&mut reading)?;
    assert_eq!(count(&mut reading, "events")?, 1);
    assert!(is_in_the_way(unfreeze(&mut conn, Duration::ZERO)));
    assert!(append(&mut conn, "late").is_err());
    commit(&mut reading)?;
    assert!(unfreeze(&mut conn, LONG)?);
    append(&mut conn, "open again")?;
    Ok(())
}

/// It does not see that the log is frozen, but for the rows that its append locks.
#[test]
fn an_old_snapshot_meets_it() -> Result {
    let db = Database::migrated()?;
    let (mut old, mut conn) = (db.connect_in("REPEATABLE READ")?, db.connect()?);
    begin(&mut old)?;
    assert_eq!(count(&mut old, "event_log")?, 1);
    freeze(&mut conn, "a test", LONG)?;
    let refused = append(&mut old, "late").expect_err("the log is frozen");
    assert!(refused.to_string().contains("this event log is frozen"), "{refused}");
    commit(&mut old)?;
    assert_eq!(count(&mut conn, "events")?, 0);
    Ok(())
}

#[test]
fn the_session_waits_as_before() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    execute(&mut conn, "SET innodb_lock_wait_timeout = 7, lock_wait_timeout = 8")?;
    freeze(&mut conn, "a test", LONG)?;
    unfreeze(&mut conn, LONG)?;
    assert_eq!(number(&mut conn, "@@innodb_lock_wait_timeout")?, 7);
    assert_eq!(number(&mut conn, "@@lock_wait_timeout")?, 8);
    Ok(())
}

/// Killed between the state and the trigger: the same again creates it.
#[test]
fn what_was_frozen_in_part_is_completed() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    freeze(&mut conn, "a test", LONG)?;
    execute(&mut conn, "DROP TRIGGER events_refuse_insert")?;
    assert!(append(&mut conn, "late").is_err());
    assert!(!freeze(&mut conn, "again", LONG)?);
    let triggers = "information_schema.triggers WHERE trigger_schema = DATABASE() \
                    AND trigger_name = 'events_refuse_insert'";
    assert_eq!(count(&mut conn, triggers)?, 1);
    Ok(())
}

#[test]
fn a_user_who_may_not_create_the_trigger_leaves_the_log_open() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect_as("freezer", "SELECT, UPDATE")?;
    match freeze(&mut conn, "a test", LONG) {
        Err(FreezeError::Database(error)) => assert_eq!(error.kind(), DatabaseErrorKind::NotPermitted),
        other => panic!("{other:?}"),
    }
    assert_eq!(STORE.log_closed(&mut conn)?, None);
    append(&mut db.connect()?, "open")?;
    Ok(())
}
