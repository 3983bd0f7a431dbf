//! A worker whose partition another worker has taken over while it was busy. SQLite has one writer at a time,
//! so that nothing can be taken over there while a handler runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel_event_store::projection::{HandlerError, Projection, ProjectionError, ProjectionState};
use diesel_event_store::{Position, RecordedEvent};
use test_support::{Result, TestDatabase, count, eventually, execute};

use super::{NAME, append, application, applied, insert, reached, runner, set, states};

tests! {
    it_applies_nothing,
    it_stops_nothing_when_it_fails,
    it_parks_nothing,
    it_keeps_nothing_of_the_lease,
    what_it_has_applied_although_the_answer_was_lost_is_not_applied_again,
}

const TAKEN_OVER: &str =
    "UPDATE projection_checkpoints SET fencing_token = fencing_token + 1, owner = 'another'";

/// Its handler is overtaken by way of another connection.
fn overtaken<D: TestDatabase>(
    db: &Arc<D>,
    handle: impl Fn(&mut D::Conn, &RecordedEvent) -> Result<(), HandlerError> + Send + Sync + 'static,
) -> Projection<D::Conn> {
    let db = Arc::clone(db);
    Projection::new(NAME, 1, move |conn: &mut D::Conn, event: &RecordedEvent| {
        execute(&mut db.connect().expect("the server is there"), TAKEN_OVER)?;
        handle(conn, event)
    })
    .retries(0, Duration::ZERO)
}

fn it_applies_nothing<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let lost = overtaken(&db, insert).catch_up(&mut conn);
    assert!(matches!(lost, Err(ProjectionError::LeaseLost { .. })), "{lost:?}");
    assert!(applied(&mut conn)?.is_empty());
    assert_eq!(reached(&mut conn)?, Position::START);
    Ok(())
}

fn it_stops_nothing_when_it_fails<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let running =
        runner(&db).projection(overtaken(&db, |_, _| Err(HandlerError::failed("too late")))).start()?;
    let mut failures = Vec::new();
    eventually("it says what has become of it", || {
        failures.extend(running.failures());
        Ok(!failures.is_empty())
    })?;
    running.stop()?;
    assert!(matches!(failures[..], [ProjectionError::LeaseLost { .. }]), "{failures:?}");
    assert_eq!(states(&mut conn)?, [ProjectionState::Running], "the other worker has it");
    assert_eq!(count(&mut conn, "projection_checkpoints WHERE last_error IS NULL")?, 1);
    Ok(())
}

fn it_parks_nothing<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let parking = overtaken(&db, |_, _| Err(HandlerError::park("too late")));
    let lost = parking.catch_up(&mut conn);
    assert!(matches!(lost, Err(ProjectionError::LeaseLost { .. })), "{lost:?}");
    assert_eq!(count(&mut conn, "parked_events")?, 0);
    assert_eq!(reached(&mut conn)?, Position::START);
    Ok(())
}

/// What it gives back in the end is not its own any more.
fn it_keeps_nothing_of_the_lease<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    overtaken(&db, insert).catch_up(&mut conn).unwrap_err();
    let of_the_other = "projection_checkpoints WHERE owner = 'another' AND leased_until IS NOT NULL";
    assert_eq!(count(&mut conn, of_the_other)?, 1);
    Ok(())
}

/// A commit may go through although its answer is lost. The lease is the same then, and the checkpoint is
/// further on than the worker knows.
fn what_it_has_applied_although_the_answer_was_lost_is_not_applied_again<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let first = append(&mut conn, "alice", 3)?.events()[0].position();
    let elsewhere = Arc::clone(&db);
    let is_answered = AtomicBool::new(false);
    let users = Projection::new(NAME, 1, move |conn: &mut D::Conn, event: &RecordedEvent| {
        if !is_answered.swap(true, Ordering::Relaxed) {
            let mut other = elsewhere.connect().expect("the server is there");
            insert(&mut other, event)?;
            set(&mut other, &format!("last_global_position = {first}"))?;
        }
        insert(conn, event)
    });
    users.catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 3"]);
    Ok(())
}
