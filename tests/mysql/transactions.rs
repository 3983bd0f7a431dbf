//! What becomes of an append in a transaction that the server, or the application, has its own ideas about.

use std::thread;
use std::time::Duration;

use diesel::Connection;
use diesel::mysql::MysqlConnection;
use diesel_event_store::{DatabaseErrorKind, ExpectedVersion, LogOrdering, NewEvent, StreamId};
use test_support::{Result, app_rows, count, counted, create_app_rows, execute, insert_app_row, user};

use super::database::{Database, STORE, append, begin, commit, is_mariadb, kind_of, number, rollback};

/// BEGIN would commit it without a word.
#[test]
fn an_append_in_a_foreign_transaction_is_refused_and_leaves_it_open() -> Result {
    for begin_sql in ["BEGIN", "SET autocommit = 0", "XA START 'x'"] {
        let db = Database::migrated()?;
        let (mut conn, mut other) = (db.connect()?, db.connect()?);
        create_app_rows(&mut other)?;
        execute(&mut conn, begin_sql)?;
        insert_app_row(&mut conn, "row")?;
        let refused = append(&mut conn, "event").unwrap_err();
        assert!(!refused.is_retryable());
        assert_eq!(kind_of(refused), DatabaseErrorKind::ForeignTransaction, "{begin_sql}");
        assert!(app_rows(&mut other)?.is_empty(), "{begin_sql}");
        assert_eq!(app_rows(&mut conn)?, ["row"], "{begin_sql}");
    }
    Ok(())
}

/// Its first read has fixed what it sees, and others have gone on.
#[test]
fn a_transaction_that_has_read_before_takes_any_and_retries_after_a_conflict() -> Result {
    let db = Database::migrated()?;
    for isolation_level in ["REPEATABLE READ", "READ COMMITTED"] {
        let (mut conn, mut other) = (db.connect_in(isolation_level)?, db.connect()?);
        let (old, new) = (StreamId::new(isolation_level, "old")?, StreamId::new(isolation_level, "new")?);
        STORE.append(&mut other, &old, ExpectedVersion::NoStream, &counted(1)?)?;
        conn.transaction(|conn| -> Result {
            assert_eq!((STORE.version(conn, &old)?, STORE.version(conn, &new)?), (1, 0));
            STORE.append(&mut other, &old, ExpectedVersion::Any, &counted(2)?)?;
            STORE.append(&mut other, &new, ExpectedVersion::Any, &counted(3)?)?;

            for (stream, seen, actual) in [(&old, 1, 3), (&new, 0, 3)] {
                let lost =
                    STORE.append(conn, stream, ExpectedVersion::Exact(seen), &counted(1)?).unwrap_err();
                assert_eq!(lost.conflict().map(|conflict| conflict.actual), Some(actual));
                STORE.append(conn, stream, ExpectedVersion::Exact(actual), &counted(1)?)?;
                let appended = STORE.append(conn, stream, ExpectedVersion::Any, &counted(1)?)?;
                assert_eq!(appended.version(), actual + 2);
                STORE.append(conn, stream, ExpectedVersion::StreamExists, &counted(1)?)?;
            }
            let exists = STORE.append(conn, &new, ExpectedVersion::NoStream, &counted(1)?).unwrap_err();
            assert_eq!(exists.conflict().map(|conflict| conflict.actual), Some(6));
            Ok(())
        })?;
        assert_eq!((STORE.version(&mut other, &old)?, STORE.version(&mut other, &new)?), (6, 6));
    }
    Ok(())
}

/// MariaDB with innodb_snapshot_isolation (its default from 11.6.2) does not let a snapshot be overtaken: the
/// transaction ends, and the next one succeeds. From 11.4.2 on an append can have it otherwise.
#[test]
fn a_snapshot_that_is_overtaken_costs_a_transaction_at_most() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut other) = (db.connect_in("REPEATABLE READ")?, db.connect()?);
    if !is_mariadb(&mut conn)? {
        return Ok(());
    }
    execute(&mut conn, "SET SESSION innodb_snapshot_isolation = ON")?;
    let alice = user("alice")?;
    STORE.append(&mut conn, &alice, ExpectedVersion::NoStream, &counted(1)?)?;
    let mut attempts = 0;
    loop {
        attempts += 1;
        let outcome = conn.transaction(|conn| {
            STORE.version(conn, &alice).map_err(diesel_event_store::Error::from)?;
            if attempts == 1 {
                append(&mut other, "unrelated")?;
                STORE.append(&mut other, &alice, ExpectedVersion::Any, &[NewEvent::new("Other", &())?])?;
            }
            Ok(STORE.append(conn, &alice, ExpectedVersion::Any, &[NewEvent::new("Own", &())?])?)
        });
        match outcome {
            Err(error) => {
                let error: diesel_event_store::Error = error;
                assert!(error.is_retryable(), "{error:?}");
                assert_eq!(kind_of(error), DatabaseErrorKind::Deadlock);
            }
            Ok(appended) => {
                let expected = number(&mut conn, "2 /*M!110402 - 1 */")?;
                assert_eq!((attempts, appended.version()), (expected, 3));
                break;
            }
        }
    }
    // Alone, an append is not bothered.
    STORE.append(&mut conn, &alice, ExpectedVersion::Any, &counted(1)?)?;
    assert_eq!(count(&mut other, "events")?, 5);
    Ok(())
}

/// A locking read of what is not there locks the gap in REPEATABLE READ; an append alone does not.
#[test]
fn an_append_alone_that_is_refused_leaves_no_lock_behind() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut other) = (db.connect()?, db.connect()?);
    let refused = STORE.append(&mut conn, &user("nobody")?, ExpectedVersion::StreamExists, &counted(1)?);
    assert!(refused.is_err());
    execute(&mut other, "SET SESSION innodb_lock_wait_timeout = 1")?;
    for name in ["nobodies", "a", "z"] {
        append(&mut other, name)?;
        STORE.append(&mut other, &user(name)?, ExpectedVersion::NoStream, &counted(1)?)?;
    }
    Ok(())
}

/// The second finds its aggregate locked, and moves on from where the first leaves it.
#[test]
fn an_append_waits_for_another_to_the_same_aggregate() -> Result {
    for first_commits in [true, false] {
        let db = Database::migrated()?;
        let (mut first, mut second) = (db.connect()?, db.connect()?);
        let alice = user("alice")?;
        STORE.append(&mut first, &alice, ExpectedVersion::NoStream, &counted(1)?)?;
        begin(&mut first)?;
        STORE.append(&mut first, &alice, ExpectedVersion::Exact(1), &counted(1)?)?;
        let waiting = thread::spawn(move || {
            let outcome = STORE.append(&mut second, &user("alice")?, ExpectedVersion::Exact(1), &counted(1)?);
            outcome.map(|appended| appended.version())
        });
        thread::sleep(Duration::from_millis(100));
        assert!(!waiting.is_finished());
        if first_commits {
            commit(&mut first)?;
        } else {
            rollback(&mut first)?;
        }
        match waiting.join().expect("no panic") {
            Ok(version) => assert_eq!((version, first_commits), (2, false)),
            Err(error) => {
                assert_eq!(
                    error.conflict().map(|conflict| (conflict.actual, first_commits)),
                    Some((2, true))
                );
            }
        }
    }
    Ok(())
}

/// Each holds what the other needs: the application the counter, the append alone an aggregate. The server
/// ends who has written less, and the application does not hear of it.
#[test]
fn an_append_alone_that_is_ended_by_a_deadlock_is_run_again() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut other) = (db.connect()?, db.connect()?);
    STORE.set_log_ordering(&mut conn, LogOrdering::Gapless)?;
    begin(&mut conn)?;
    STORE.append(&mut conn, &user("alice")?, ExpectedVersion::Any, &counted(100)?)?;
    let waiting = thread::spawn(move || append(&mut other, "bob").map(|appended| appended.version()));
    while !is_locked(&mut db.connect()?, "aggregate_heads WHERE aggregate_id = 'bob'") {
        thread::sleep(Duration::from_millis(1));
    }
    append(&mut conn, "bob")?;
    commit(&mut conn)?;
    assert_eq!(waiting.join().expect("no panic")?, 2);
    Ok(())
}

fn is_locked(conn: &mut MysqlConnection, rows: &str) -> bool {
    execute(conn, &format!("SELECT 1 FROM {rows} FOR UPDATE NOWAIT")).is_err()
}
