//! Two releases of an application run the same projection on one database, and one of them does not know all
//! events.

use std::time::Duration;

use diesel_event_store::EventConnection;
use diesel_event_store::projection::{self, OnFailure, Projection, ProjectionError, ProjectionState};
use test_support::{Result, TestDatabase, eventually};

use super::{Fault, NAME, Script, append, application, applied, runner, states, status};

tests! {
    what_one_release_does_not_know_another_applies,
    what_no_release_knows_stops_the_partition_in_the_end,
    what_is_handed_over_waits_and_is_seen,
}

const HOUR: Duration = Duration::from_secs(3600);

fn release<C: EventConnection>(script: &Script, within: Duration) -> Projection<C> {
    script.projection().on_unknown_event_type(OnFailure::HandOver { within }).lease(Duration::from_secs(1))
}

fn is_handed_over(error: &ProjectionError) -> bool {
    matches!(error, ProjectionError::HandedOver { .. })
}

/// The old release has the partition when the new one is started, and would keep it.
fn what_one_release_does_not_know_another_applies<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let (old, new) = (Script::with([("alice 2", Fault::IsUnknown)]), Script::default());
    let old = runner(&db).name("a, old").projection(release(&old, HOUR)).start()?;
    eventually("the old one has it", || Ok(states(&mut conn)? == [ProjectionState::Running]))?;
    let new = runner(&db).name("b, new").projection(release(&new, HOUR)).start()?;
    append(&mut conn, "alice", 3)?;
    eventually("all is applied", || Ok(applied(&mut conn)?.len() == 3))?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 3"]);
    assert!(old.failures().iter().any(is_handed_over));
    eventually("the failure is forgotten", || Ok(status(&mut conn)?.partitions()[0].last_error().is_none()))?;
    drop((old, new));
    Ok(())
}

fn what_no_release_knows_stops_the_partition_in_the_end<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let script = Script::with([("alice 2", Fault::IsUnknown)]);
    let running = runner(&db).projection(release(&script, Duration::from_millis(10))).start()?;
    eventually("it has stopped", || Ok(states(&mut conn)? == [ProjectionState::Failed]))?;
    let mut failures = Vec::new();
    eventually("it is told", || {
        failures.extend(running.failures());
        Ok(failures.iter().any(is_handed_over) && failures.iter().any(is_failed))
    })?;
    assert_eq!(applied(&mut conn)?, ["alice 1"]);
    Ok(())
}

fn is_failed(error: &ProjectionError) -> bool {
    matches!(error, ProjectionError::Failed { .. })
}

fn what_is_handed_over_waits_and_is_seen<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let script = Script::with([("alice 1", Fault::IsUnknown)]);
    let refused = release(&script, HOUR).catch_up(&mut conn).unwrap_err();
    assert!(is_handed_over(&refused) && refused.is_retryable(), "{refused:?}");

    let running = runner(&db).projection(release(&script, HOUR)).start()?;
    eventually("it is handed over", || Ok(running.failures().iter().any(is_handed_over)))?;
    let waiting = status(&mut conn)?.partitions()[0].clone();
    assert!(waiting.last_error().is_some_and(|error| error.contains("does not know")), "{waiting:?}");
    assert!(waiting.failing_since().is_some() && waiting.state() != ProjectionState::Failed, "{waiting:?}");
    assert!(!running.is_healthy());
    drop(running);

    script.mend();
    assert_eq!(projection::resume(&mut conn, (NAME, 1))?, 0, "it has not stopped");
    release(&script, HOUR).catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2"]);
    assert_eq!(status(&mut conn)?.partitions()[0].failing_since(), None);
    Ok(())
}
