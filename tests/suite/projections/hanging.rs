//! A handler that does not return. On SQLite it keeps all others from writing, so they cannot say so there.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use diesel_event_store::projection::{Projection, ProjectionError, ProjectionState};
use test_support::{LONG, Result, TestDatabase, eventually};

use super::{NAME, append, application, applied, insert, runner, status};

tests! {
    a_handler_that_does_not_return_is_reported_until_it_does,
}

fn a_handler_that_does_not_return_is_reported_until_it_does<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let first = append(&mut conn, "alice", 2)?.events()[0].position();
    let (waits, may_return) = mpsc::channel::<()>();
    let may_return = Mutex::new(may_return);
    let waiting = Projection::new(NAME, 1, move |conn: &mut D::Conn, event| {
        let _ = may_return.lock().expect("nobody panics").recv_timeout(LONG);
        insert(conn, event)
    });
    let running = runner(&db).projection(waiting.lease(Duration::from_secs(1))).start()?;
    eventually("it is reported", || {
        let is_it = |failure: &ProjectionError| match failure {
            ProjectionError::HasNotReturned { partition: 0, position, .. } => *position == first,
            _ => false,
        };
        Ok(running.failures().iter().any(is_it))
    })?;
    assert!(!running.is_healthy());
    eventually("its status says so, too", || {
        let status = status(&mut conn)?;
        let error = status.partitions()[0].last_error().unwrap_or_default();
        Ok(error.contains("has not returned since") && error.contains("waits for itself"))
    })?;

    drop(waits);
    eventually("it gets on", || Ok(applied(&mut conn)? == ["alice 1", "alice 2"]))?;
    eventually("nothing is said of it any more", || {
        let status = status(&mut conn)?;
        let partition = &status.partitions()[0];
        let is_well = partition.state() == ProjectionState::Running && partition.last_error().is_none();
        Ok(is_well && running.is_healthy())
    })
}
