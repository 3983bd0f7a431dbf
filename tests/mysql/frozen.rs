//! What is in the way of freezing a log on MySQL and MariaDB.

use std::thread;
use std::time::Duration;

use diesel::mysql::MysqlConnection;
use diesel_event_store::operate::{FreezeError, freeze, unfreeze};
use diesel_event_store::{DatabaseErrorKind, LogOrdering};
use test_support::{LONG, Result, count, execute};

use super::asking::{until_named, until_waiting};
use super::database::{Database, STORE, append, begin, commit, number};

fn is_in_the_way<T>(outcome: Result<T, FreezeError>) -> bool {
    matches!(outcome, Err(FreezeError::InTheWay { .. }))
}

const TRIGGERS: &str = "information_schema.triggers WHERE trigger_schema = DATABASE() \
     AND trigger_name = 'events_refuse_insert'";

fn assert_open(conn: &mut MysqlConnection) -> Result {
    assert_eq!((STORE.log_closed(conn)?, count(conn, TRIGGERS)?), (None, 0));
    append(conn, "open")?;
    Ok(())
}

fn assert_frozen(conn: &mut MysqlConnection) -> Result {
    assert!(STORE.log_closed(conn)?.is_some());
    assert_eq!(count(conn, TRIGGERS)?, 1);
    assert!(append(conn, "late").is_err());
    Ok(())
}

/// What `unfreeze` commits, of a log that has no trigger yet.
fn open_without_trigger(conn: &mut MysqlConnection) -> Result {
    execute(conn, "UPDATE event_fence SET state = 'open'")?;
    execute(conn, "UPDATE event_log SET state = 'open', note = NULL")?;
    Ok(())
}

/// Each of two connections at the same time, which wait for a transaction that has read events until both do.
fn both<T: Send>(db: &Database, work: impl Fn(&mut MysqlConnection, &str) -> T + Sync) -> Result<[T; 2]> {
    let (mut reading, mut watching) = (db.connect()?, db.connect()?);
    let (mut one, mut other) = (db.connect()?, db.connect()?);
    begin(&mut reading)?;
    count(&mut reading, "events")?;
    thread::scope(|scope| {
        let working =
            [scope.spawn(|| work(&mut one, "the one")), scope.spawn(|| work(&mut other, "the other"))];
        until_waiting(&mut watching, 2)?;
        commit(&mut reading)?;
        Ok(working.map(|working| working.join().expect("it does not panic")))
    })
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
    assert_frozen(&mut conn)
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

#[test]
fn two_that_open_it_at_once_leave_it_open() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    freeze(&mut conn, "a test", LONG)?;
    let [one, other] = both(&db, |conn, _| unfreeze(conn, LONG))?;
    assert_ne!(one?, other?, "one of them has opened it");
    assert_open(&mut conn)
}

#[test]
fn two_that_freeze_it_at_once_leave_it_frozen() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    let [one, other] = both(&db, |conn, reason| freeze(conn, reason, LONG))?;
    assert_ne!(one?, other?, "one of them has frozen it");
    assert_frozen(&mut conn)?;
    assert!(unfreeze(&mut conn, LONG)?);
    assert_open(&mut conn)
}

/// It waits for the trigger, and creates it after another has opened the log.
#[test]
fn what_is_opened_while_it_is_frozen_is_frozen_at_the_end() -> Result {
    let db = Database::migrated()?;
    let (mut reading, mut freezing, mut conn) = (db.connect()?, db.connect()?, db.connect()?);
    begin(&mut reading)?;
    assert_eq!(count(&mut reading, "events")?, 0);
    let is_frozen = thread::scope(|scope| {
        let freezing = scope.spawn(|| freeze(&mut freezing, "a test", LONG));
        until_waiting(&mut conn, 1)?;
        open_without_trigger(&mut conn)?;
        commit(&mut reading)?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(freezing.join().expect("it does not panic")?)
    })?;
    assert!(is_frozen);
    assert_frozen(&mut conn)?;
    assert!(unfreeze(&mut conn, LONG)?);
    assert_open(&mut conn)
}

/// Killed before it has seen that another has opened the log.
#[test]
fn a_trigger_that_was_left_is_dropped_by_whoever_opens_the_log() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    freeze(&mut conn, "a test", LONG)?;
    open_without_trigger(&mut conn)?;
    assert!(append(&mut conn, "late").is_err());
    assert!(!unfreeze(&mut conn, LONG)?);
    assert_open(&mut conn)
}
