//! A partition that has stopped, or does not get on, is never silent.

use std::time::Duration;

use diesel_event_store::EventConnection;
use diesel_event_store::chrono::{TimeDelta, Utc};
use diesel_event_store::projection::{
    self, HandlerError, OnFailure, PartitionStatus, Projection, ProjectionError, ProjectionState,
    ProjectionStatus, RunnerHandle,
};
use test_support::{Result, TestDatabase, advances_until, eventually, execute, names};

use super::{Fault, NAME, Script, append, application, applied, runner, set};

tests! {
    what_has_stopped_before_is_told_at_the_start,
    what_another_worker_stops_is_told_too,
    a_failure_that_does_not_count_is_seen_while_it_is_tried_again,
    a_failure_that_counts_is_seen_while_it_is_tried_again,
    an_event_that_cannot_be_parked_stops_the_partition,
    a_partition_that_cannot_be_marked_has_stopped_all_the_same,
    a_runner_that_may_not_take_its_partition_is_not_healthy,
    a_runner_that_may_not_take_a_partition_is_healthy_once_another_one_has_it,
}

const ONCE: Duration = Duration::ZERO;
const LEASE: Duration = Duration::from_secs(1);

/// Of the projection under test, which is not the only one here.
fn users<C: EventConnection>(conn: &mut C) -> Result<ProjectionStatus> {
    let mut all = projection::status(conn)?.into_iter();
    Ok(all.find(|status| status.projection().name() == NAME).ok_or("it was never run")?)
}

fn partition<C: EventConnection>(conn: &mut C) -> Result<PartitionStatus> {
    Ok(users(conn)?.partitions()[0].clone())
}

fn states<C: EventConnection>(conn: &mut C) -> Result<Vec<ProjectionState>> {
    Ok(users(conn)?.partitions().iter().map(PartitionStatus::state).collect())
}

/// One that parks whatever there is.
fn park_everything<C: EventConnection + 'static>(conn: &mut C) -> Result {
    let orders = Projection::new("orders", 1, |_: &mut C, _| Err(HandlerError::park("no")));
    orders.catch_up(conn)?;
    Ok(())
}

/// Until one of them is what is waited for.
fn is_told(running: &RunnerHandle, what: &str, is_it: impl Fn(&ProjectionError) -> bool) -> Result {
    eventually(what, || Ok(running.failures().iter().any(&is_it)))
}

fn what_has_stopped_before_is_told_at_the_start<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let script = Script::default();
    script.projection().partitions(2).catch_up(&mut conn)?;
    set(&mut conn, "state = 'failed', last_error = 'by hand'")?;

    let running = runner(&db).projection(script.projection().lease(LEASE)).start()?;
    let failures = running.failures();
    let [ProjectionError::HasFailed { partition: 0, error, .. }, ProjectionError::HasFailed { .. }] =
        &failures[..]
    else {
        panic!("{failures:?}")
    };
    assert_eq!(error, "by hand");
    assert!(running.is_running() && !running.is_healthy());

    projection::resume(&mut conn, (NAME, 1))?;
    eventually("it is healthy again", || Ok(running.is_healthy()))?;
    eventually("both are applied", || Ok(states(&mut conn)? == [ProjectionState::Running; 2]))?;
    let told_again = |error: &ProjectionError| matches!(error, ProjectionError::HasFailed { .. });
    assert!(!running.failures().iter().any(told_again), "what was told is not told again");
    Ok(())
}

fn what_another_worker_stops_is_told_too<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let script = Script::with([("alice 1", Fault::Fails)]);
    let failing = || script.projection().retries(0, ONCE).lease(LEASE);
    let workers = [runner(&db).projection(failing()).start()?, runner(&db).projection(failing()).start()?];
    append(&mut conn, "alice", 1)?;
    let mut told = [Vec::new(), Vec::new()];
    eventually("both tell", || {
        workers.iter().zip(&mut told).for_each(|(worker, told)| told.extend(worker.failures()));
        let has_stopped = |error: &ProjectionError| {
            matches!(error, ProjectionError::Failed { .. } | ProjectionError::HasFailed { .. })
        };
        Ok(told.iter().all(|told| told.iter().any(has_stopped)))
    })?;
    assert!(workers.iter().all(|worker| !worker.is_healthy()));
    assert_eq!(script.given(), ["alice 1"]);
    Ok(())
}

fn a_failure_that_does_not_count_is_seen_while_it_is_tried_again<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let script = Script::with([("alice 1", Fault::Deadlocks { times: u32::MAX })]);
    let failing = script.projection().on_failure(OnFailure::Skip).lease(LEASE);
    let running = runner(&db).projection(failing).start()?;
    eventually("it is seen", || Ok(states(&mut conn)? == [ProjectionState::Retrying]))?;
    let retrying = partition(&mut conn)?;
    assert!(retrying.last_error().is_some_and(|error| error.contains("give way")), "{retrying:?}");
    let since = retrying.failing_since().ok_or("it is known since when")?;
    assert!((Utc::now() - since).abs() < TimeDelta::minutes(10), "{since}");
    assert!(!users(&mut conn)?.is_healthy());
    eventually("the runner knows", || Ok(!running.is_healthy()))?;

    script.mend();
    eventually("it gets on", || Ok(states(&mut conn)? == [ProjectionState::Running]))?;
    let running_again = partition(&mut conn)?;
    assert_eq!((running_again.last_error(), running_again.failing_since()), (None, None));
    assert_eq!(applied(&mut conn)?, ["alice 1"]);
    eventually("the runner knows", || Ok(running.is_healthy()))
}

fn a_failure_that_counts_is_seen_while_it_is_tried_again<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let script = Script::with([("alice 2", Fault::Fails)]);
    let patient = || script.projection().retries(10, Duration::from_secs(3600));
    let running = runner(&db).projection(patient()).start()?;
    eventually("it is seen", || Ok(states(&mut conn)? == [ProjectionState::Retrying]))?;
    assert_eq!(partition(&mut conn)?.last_error(), Some("alice 2 is too much"));
    running.stop()?;

    // It is known to the next one, too, until that gets on.
    assert_eq!(partition(&mut conn)?.last_error(), Some("alice 2 is too much"));
    script.mend();
    patient().catch_up(&mut conn)?;
    assert_eq!(partition(&mut conn)?.last_error(), None);
    Ok(())
}

/// There may be only one row per reason, and there is one.
fn an_event_that_cannot_be_parked_stops_the_partition<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "bob", 1)?;
    park_everything(&mut conn)?;
    execute(&mut conn, "CREATE UNIQUE INDEX one_of_each ON parked_events (reason)")?;
    append(&mut conn, "alice", 2)?;
    let script = Script::with([("alice 2", Fault::Fails)]);
    let failing = || script.projection().retries(0, ONCE).on_failure(OnFailure::Park).lease(LEASE);
    let running = runner(&db).projection(failing()).start()?;
    eventually("it has failed", || Ok(states(&mut conn)? == [ProjectionState::Failed]))?;
    is_told(&running, "it is told what could not be recorded", |error| match error {
        ProjectionError::NotRecorded { failure, partition: 0, .. } => failure == "alice 2 is too much",
        _ => false,
    })?;
    let error = partition(&mut conn)?.last_error().unwrap_or_default().to_owned();
    assert!(error.contains("alice 2 is too much") && error.contains("could not be recorded"), "{error}");
    assert_eq!(
        script.given().iter().filter(|given| *given == "alice 2").count(),
        1,
        "it is not called again"
    );
    drop(running);

    projection::resume(&mut conn, (NAME, 1))?;
    let refused = failing().catch_up(&mut conn).unwrap_err();
    assert!(matches!(refused, ProjectionError::NotRecorded { .. }) && !refused.is_retryable(), "{refused:?}");
    assert_eq!(applied(&mut conn)?, ["bob 1", "alice 1"]);
    Ok(())
}

/// There may be only one failed partition, and there is one.
fn a_partition_that_cannot_be_marked_has_stopped_all_the_same<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let script = Script::with([("alice 1", Fault::Fails)]);
    park_everything(&mut conn)?;
    execute(&mut conn, "UPDATE projection_checkpoints SET state = 'failed'")?;
    execute(&mut conn, "CREATE UNIQUE INDEX one_of_each ON projection_checkpoints (state)")?;
    let failing = script.projection().retries(0, ONCE).lease(Duration::from_secs(5));
    let running = runner(&db).projection(failing).start()?;
    is_told(&running, "it is told", |error| match error {
        ProjectionError::NotRecorded { failure, .. } => failure.contains("alice 1 is too much"),
        _ => false,
    })?;
    assert!(!running.is_healthy());
    let mut leases = Vec::new();
    let lease = format!(
        "SELECT leased_until AS name FROM (SELECT CAST(leased_until AS CHAR(20)) AS leased_until \
                         FROM projection_checkpoints WHERE projection_name = '{NAME}') AS leases"
    );
    advances_until(
        "it keeps the partition for several leases",
        || {
            leases.extend(names(&mut conn, &lease)?);
            leases.dedup();
            Ok(leases.len())
        },
        |leases| *leases > 2,
    )?;
    assert!(!running.is_healthy(), "the runner does not forget it");
    let retrying = partition(&mut conn)?;
    assert_eq!(retrying.state(), ProjectionState::Retrying, "others see it in the status");
    assert!(retrying.last_error().is_some_and(|error| error.contains("alice 1 is too much")), "{retrying:?}");
    assert_eq!(script.given(), ["alice 1"], "the handler is left alone");

    execute(&mut conn, "DELETE FROM projection_checkpoints WHERE projection_name = 'orders'")?;
    eventually("it is marked", || Ok(states(&mut conn)? == [ProjectionState::Failed]))?;
    assert!(partition(&mut conn)?.last_error().is_some_and(|error| error.contains("alice 1 is too much")));
    is_told(&running, "it is told", |error| matches!(error, ProjectionError::Failed { .. }))?;
    assert_eq!(script.given(), [""; 0]);
    Ok(())
}

/// Whoever claims the partition gives it the next token, which the database does not let it have.
fn refuse_to_have_it_claimed<C: EventConnection + 'static>(conn: &mut C) -> Result {
    Script::default().projection().catch_up(conn)?;
    Projection::new("orders", 1, |_: &mut C, _| Ok(())).catch_up(conn)?;
    set_token_of_orders(conn, 100)?;
    set(conn, "fencing_token = 99")?;
    Ok(execute(conn, "CREATE UNIQUE INDEX one_of_each ON projection_checkpoints (fencing_token)")?)
}

fn set_token_of_orders<C: EventConnection>(conn: &mut C, token: i64) -> Result {
    let orders = "WHERE projection_name = 'orders'";
    Ok(execute(conn, &format!("UPDATE projection_checkpoints SET fencing_token = {token} {orders}"))?)
}

fn a_runner_that_may_not_take_its_partition_is_not_healthy<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    refuse_to_have_it_claimed(&mut conn)?;
    let running = runner(&db).projection(Script::default().projection().lease(LEASE)).start()?;
    eventually("it knows", || Ok(!running.is_healthy()))?;
    set_token_of_orders(&mut conn, 200)?;
    eventually("it is healthy again", || Ok(running.is_healthy()))
}

/// The other one takes it by hand here, in the same moment in which it can be taken.
fn a_runner_that_may_not_take_a_partition_is_healthy_once_another_one_has_it<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    refuse_to_have_it_claimed(&mut conn)?;
    let running = runner(&db).projection(Script::default().projection().lease(LEASE)).start()?;
    eventually("it knows", || Ok(!running.is_healthy()))?;
    set(&mut conn, "owner = 'other 1', leased_until = 99999999999999, fencing_token = 101")?;
    eventually("it is healthy", || Ok(running.is_healthy()))
}
