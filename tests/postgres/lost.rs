//! A handler whose connection the server ends while it has it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use diesel::pg::PgConnection;
use diesel_event_store::projection::{
    self, HandlerError, OnFailure, Projection, ProjectionState, Runner, RunnerHandle,
};
use diesel_event_store::{EventStore, ExpectedVersion};
use test_support::{Postgres, Result, TestDatabase, counted, eventually, execute, user, wait_for_projection};

/// The first event of this user makes the handler lose its connection.
const POISON: &str = "poison";

fn start(
    lose: impl Fn(&mut PgConnection) -> Result<(), HandlerError> + Send + Sync + 'static,
) -> Result<(PgConnection, RunnerHandle, Arc<AtomicUsize>)> {
    let database = Arc::new(Postgres::migrated()?);
    let mut conn = database.connect()?;
    for aggregate in ["before", POISON, "after"] {
        let stream = user(aggregate)?;
        EventStore::new().append(&mut conn, &stream, ExpectedVersion::NoStream, &counted(1)?)?;
    }
    let calls = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&calls);
    let users = Projection::new("users", 1, move |conn: &mut PgConnection, event| {
        if event.aggregate_id() != POISON {
            return Ok(());
        }
        counted.fetch_add(1, Ordering::Relaxed);
        lose(conn)
    });
    let users = users.retries(2, Duration::from_millis(1)).on_failure(OnFailure::Park);
    let running = Runner::new(move || database.connect()).projection(users).start()?;
    Ok((conn, running, calls))
}

fn is_parked(conn: &mut PgConnection, error: &str) -> Result {
    eventually("it is parked", || {
        Ok(projection::parked(conn, ("users", 1)).is_ok_and(|parked| !parked.is_empty()))
    })?;
    let parked = projection::parked(conn, ("users", 1))?;
    assert_eq!((parked.len(), parked[0].stream().aggregate_id()), (1, POISON));
    assert!(parked[0].error().contains(error), "{parked:?}");
    let last = EventStore::new().last_position(conn)?;
    wait_for_projection(conn, ("users", 1), last)?;
    assert_ne!(projection::status(conn)?[0].partitions()[0].state(), ProjectionState::Failed);
    Ok(())
}

/// The server has given up on a transaction that was idle for long.
fn sleep_too_long(conn: &mut PgConnection) -> Result<(), HandlerError> {
    execute(conn, "SET LOCAL idle_in_transaction_session_timeout = 50")?;
    thread::sleep(Duration::from_millis(200));
    Ok(())
}

#[test]
fn what_the_handler_says_counts_although_its_connection_is_lost() -> Result {
    let (mut conn, _running, calls) = start(|conn| {
        sleep_too_long(conn)?;
        Err(HandlerError::park("the poison event"))
    })?;
    is_parked(&mut conn, "the poison event")?;
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    Ok(())
}

#[test]
fn it_is_given_the_event_as_often_as_any_that_fails() -> Result {
    let (mut conn, _running, calls) = start(|conn| {
        sleep_too_long(conn)?;
        Err(HandlerError::failed("the poison event"))
    })?;
    is_parked(&mut conn, "the poison event")?;
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    Ok(())
}

/// Whether it passes that on or not: an outage may do this once, and not again and again.
#[test]
fn an_event_that_loses_the_connection_each_time_is_a_failure_in_the_end() -> Result {
    type Lose = fn(&mut PgConnection) -> Result<(), HandlerError>;
    let lose: [Lose; 2] =
        [|conn| Ok(execute(conn, "SELECT pg_terminate_backend(pg_backend_pid())")?), sleep_too_long];
    for lose in lose {
        let (mut conn, running, calls) = start(lose)?;
        eventually("it is seen meanwhile", || {
            let status = projection::status(&mut conn)?;
            let partition = status.first().map(|status| status.partitions()[0].clone());
            Ok(partition.is_some_and(|partition| partition.state() == ProjectionState::Retrying))
        })?;
        is_parked(&mut conn, "connection is lost")?;
        assert!(calls.load(Ordering::Relaxed) > 3, "an outage is waited for");
        drop(running);
    }
    Ok(())
}
