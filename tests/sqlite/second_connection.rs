//! A handler that writes on another connection than the one it is lent waits for itself: only one transaction
//! can write at a time, and that is the one it is called in.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use diesel::sqlite::SqliteConnection;
use diesel_event_store::projection::{self, Projection, ProjectionError, ProjectionState, Runner};
use diesel_event_store::sqlite::Options;
use diesel_event_store::{ExpectedVersion, NewEvent};
use test_support::sqlite_file::SqliteFile;
use test_support::{LONG, eventually};

use super::database::{STORE, append_one, stream};

fn waits_for_itself(database: &SqliteFile) -> Projection<SqliteConnection> {
    let mut second = database.connect_with(Options::default().busy_timeout(Duration::from_millis(5)));
    append_one(&mut second, &stream("alice"));
    let second = Mutex::new(second);
    Projection::new("users", 1, move |_: &mut SqliteConnection, _| {
        let second = &mut *second.lock().expect("nobody panics");
        let event = NewEvent::new("Written", &())?;
        STORE.append(second, &stream("bob"), ExpectedVersion::Any, &[event])?;
        Ok(())
    })
}

#[test]
fn it_is_told_so() {
    let database = SqliteFile::migrated();
    let refused = waits_for_itself(&database).catch_up(&mut database.connect()).unwrap_err();
    let message = refused.to_string();
    assert!(message.contains("second connection") && message.contains("waits for itself"), "{message}");
    assert!(refused.is_retryable());
}

#[test]
fn the_status_says_so() {
    let database = SqliteFile::migrated();
    let path = database.path();
    let connect = move || -> diesel::ConnectionResult<SqliteConnection> {
        let mut conn = diesel::Connection::establish(&path.display().to_string())?;
        Options::default().apply(&mut conn).expect("the options are applied");
        Ok(conn)
    };
    let running = Runner::new(connect).projection(waits_for_itself(&database)).start().unwrap();
    let mut conn = database.connect();
    eventually("it is seen", || {
        let status = projection::status(&mut conn)?;
        let Some(partition) = status.first().map(|status| status.partitions()[0].clone()) else {
            return Ok(false);
        };
        let is_named = partition.last_error().is_some_and(|error| error.contains("waits for itself"));
        Ok(partition.state() == ProjectionState::Retrying && is_named)
    })
    .unwrap();
    drop(running);
}

/// It has the write lock, so its partition's row cannot say so.
#[test]
fn one_that_waits_for_good_is_reported() {
    let database = SqliteFile::migrated();
    append_one(&mut database.connect(), &stream("alice"));
    let (waits, may_return) = mpsc::channel::<()>();
    let may_return = Mutex::new(may_return);
    let waiting = Projection::new("users", 1, move |_: &mut SqliteConnection, _| {
        let _ = may_return.lock().expect("nobody panics").recv_timeout(LONG);
        Ok(())
    });
    let path = database.path();
    let connect = move || -> diesel::ConnectionResult<SqliteConnection> {
        let mut conn = diesel::Connection::establish(&path.display().to_string())?;
        let options = Options::default().busy_timeout(Duration::from_millis(5));
        options.apply(&mut conn).expect("the options are applied");
        Ok(conn)
    };
    let running = Runner::new(connect).projection(waiting.lease(Duration::from_secs(1))).start().unwrap();
    eventually("it is reported", || {
        let is_it = |failure: &ProjectionError| matches!(failure, ProjectionError::HasNotReturned { .. });
        Ok(running.failures().iter().any(is_it))
    })
    .unwrap();
    assert!(!running.is_healthy());
    drop(waits);
    eventually("it is well again", || Ok(running.is_healthy())).unwrap();
}
