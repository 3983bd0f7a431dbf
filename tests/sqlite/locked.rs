use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::projection::{HandlerError, Projection, ProjectionError};
use diesel_event_store::sqlite::Options;
use diesel_event_store::{AppendError, DatabaseErrorKind, Error, ExpectedVersion, Position};
use test_support::sqlite_file::{SqliteFile, assert_intact};

use super::database::{STORE, append_one, count, event, stream};

const FOR_EVER: Duration = Duration::from_secs(600);

fn connect_with_timeout(database: &SqliteFile, busy_timeout: Duration) -> SqliteConnection {
    database.connect_with(Options::default().busy_timeout(busy_timeout))
}

fn kind(error: &AppendError) -> DatabaseErrorKind {
    match error {
        AppendError::Database(error) => error.kind(),
        other => panic!("{other}"),
    }
}

#[test]
fn a_lock_that_is_held_longer_than_busy_timeout_is_retryable_and_says_what_to_do() {
    let database = SqliteFile::migrated();
    let patience = Duration::from_millis(200);
    let (mut holder, mut conn) = (database.connect(), connect_with_timeout(&database, patience));

    let begun = Instant::now();
    let refused = holder
        .immediate_transaction::<_, Error, _>(|_| {
            Ok(STORE.append(&mut conn, &stream("1"), ExpectedVersion::Any, &[event()]))
        })
        .unwrap()
        .unwrap_err();
    assert!(begun.elapsed() >= patience, "gave up after {:?}", begun.elapsed());
    assert_eq!(kind(&refused), DatabaseErrorKind::Locked);
    assert!(refused.is_retryable());
    for advice in ["write_transaction", "busy_timeout"] {
        assert!(refused.to_string().contains(advice), "{refused}");
    }

    assert_eq!(append_one(&mut conn, &stream("1")), 1, "the same connection, when the lock is free");
    assert_intact(&mut conn);
}

#[test]
fn a_deferred_transaction_that_has_read_cannot_append_when_another_has_written_since() {
    let database = SqliteFile::migrated();
    let (mut other, mut conn) = (database.connect(), connect_with_timeout(&database, FOR_EVER));
    conn.batch_execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)").unwrap();

    let begun = Instant::now();
    let outcome = conn.transaction::<_, Error, _>(|conn| {
        STORE.version(conn, &stream("1"))?;
        append_one(&mut other, &stream("1"));
        STORE.append(conn, &stream("2"), ExpectedVersion::Any, &[event()])?;
        Ok(())
    });
    assert!(begun.elapsed() < FOR_EVER, "waiting cannot help");
    match outcome.unwrap_err() {
        Error::Append(error) => assert!(error.is_retryable() && kind(&error) == DatabaseErrorKind::Locked),
        other => panic!("{other}"),
    }
    assert_eq!(STORE.version(&mut conn, &stream("1")).unwrap(), 1);
    assert_eq!(STORE.version(&mut conn, &stream("2")).unwrap(), 0);
    assert_eq!(append_one(&mut conn, &stream("2")), 1, "the same connection, in a new transaction");
    assert_intact(&mut conn);
}

#[test]
fn an_immediate_transaction_that_reads_first_waits_for_its_turn() {
    let database = SqliteFile::migrated();
    with_many_writers(&database, |conn| {
        conn.immediate_transaction::<_, Error, _>(|conn| {
            let version = STORE.version(conn, &stream("1"))?;
            STORE.append(conn, &stream("1"), ExpectedVersion::Exact(version), &[event()])?;
            Ok(())
        })
    });
}

#[test]
fn a_deferred_transaction_whose_first_statement_is_an_append_waits_for_its_turn() {
    let database = SqliteFile::migrated();
    with_many_writers(&database, |conn| {
        conn.transaction::<_, Error, _>(|conn| {
            STORE.append(conn, &stream("1"), ExpectedVersion::Any, &[event()])?;
            Ok(())
        })
    });
}

#[test]
fn an_append_alone_waits_for_its_turn() {
    let database = SqliteFile::migrated();
    with_many_writers(&database, |conn| {
        STORE.append(conn, &stream("1"), ExpectedVersion::Any, &[event()])?;
        Ok(())
    });
}

/// Several threads do this at the same time; none of them may fail.
fn with_many_writers(
    database: &SqliteFile,
    work: impl Fn(&mut SqliteConnection) -> Result<(), Error> + Sync,
) {
    const WRITERS: usize = 4;
    const TIMES: usize = 40;
    let start = Barrier::new(WRITERS);
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                let mut conn = connect_with_timeout(database, FOR_EVER);
                start.wait();
                for _ in 0..TIMES {
                    work(&mut conn).unwrap();
                }
            });
        }
    });
    let mut conn = database.connect();
    assert_eq!(count(&mut conn, "events"), (WRITERS * TIMES) as i64);
    assert_intact(&mut conn);
}

#[test]
fn a_transaction_that_diesel_has_not_opened_is_left_as_it_is() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    conn.batch_execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)").unwrap();

    conn.batch_execute("BEGIN; INSERT INTO orders VALUES (1)").unwrap();
    let refused = STORE.append(&mut conn, &stream("1"), ExpectedVersion::Any, &[event()]).unwrap_err();
    assert_eq!(kind(&refused), DatabaseErrorKind::ForeignTransaction);
    assert!(refused.to_string().contains("write_transaction"), "{refused}");
    assert_eq!(STORE.last_position(&mut conn).unwrap(), Position::START, "it can be read in");
    conn.batch_execute("INSERT INTO orders VALUES (2); COMMIT").unwrap();

    assert_eq!(count(&mut conn, "orders"), 2);
    assert_eq!(append_one(&mut conn, &stream("1")), 1);
}

/// Which has nothing to write itself.
#[test]
fn a_projections_handler_has_the_write_lock() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    append_one(&mut conn, &stream("1"));
    let other = Mutex::new(connect_with_timeout(&database, Duration::ZERO));
    let reading = Projection::new("reading", 1, move |_conn: &mut SqliteConnection, _event| {
        let mut other = other.lock().unwrap();
        let refused = STORE.append(&mut *other, &stream("2"), ExpectedVersion::Any, &[event()]).unwrap_err();
        assert_eq!(kind(&refused), DatabaseErrorKind::Locked);
        Ok(())
    });
    assert_eq!(reading.catch_up(&mut conn).unwrap().applied(), 1);
}

#[test]
fn a_projection_is_refused_in_a_transaction_that_was_begun_by_sql() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    append_one(&mut conn, &stream("1"));
    let untouched = Projection::new("untouched", 1, |_conn: &mut SqliteConnection, _event| {
        Err(HandlerError::failed("it is called"))
    });
    let untouched = untouched.retries(0, Duration::ZERO);
    // The checkpoint is there.
    assert!(untouched.catch_up(&mut conn).unwrap_err().to_string().contains("it is called"));

    conn.batch_execute("BEGIN").unwrap();
    match untouched.catch_up(&mut conn).unwrap_err() {
        ProjectionError::Database(refused) => {
            assert_eq!(refused.kind(), DatabaseErrorKind::ForeignTransaction)
        }
        other => panic!("{other}"),
    }
    conn.batch_execute("ROLLBACK").expect("it is still the application's");
}
