//! A runner reports from threads of its own, which have the recorder and the subscriber of the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use diesel::prelude::*;
use diesel_event_store::projection::{HandlerError, OnFailure, Projection, Runner, RunnerHandle};
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, RecordedEvent, StreamId};
use test_support::sqlite_file::SqliteFile;
use test_support::{Result, execute};

use super::observed::Observed;

/// A log of one event.
fn log() -> Result<Arc<SqliteFile>> {
    let file = SqliteFile::migrated();
    append_one(&mut file.connect())?;
    Ok(Arc::new(file))
}

fn append_one(conn: &mut SqliteConnection) -> Result {
    let placed = [NewEvent::new("Placed", &())?];
    EventStore::new().append(conn, &StreamId::new("Order", 1)?, ExpectedVersion::Any, &placed)?;
    Ok(())
}

fn mails<H>(handler: H) -> Projection<SqliteConnection>
where
    H: Fn(&mut SqliteConnection, &RecordedEvent) -> Result<(), HandlerError> + Send + Sync + 'static,
{
    Projection::new("mails", 3, handler).retries(0, Duration::ZERO)
}

fn start(file: &Arc<SqliteFile>, projection: Projection<SqliteConnection>) -> Result<RunnerHandle> {
    let file = Arc::clone(file);
    let runner = Runner::new(move || Ok::<_, ConnectionError>(file.connect()));
    Ok(runner.projection(projection).start()?)
}

/// The first time something goes wrong.
fn once(
    wrong: impl Fn(&mut SqliteConnection) -> Result<(), HandlerError> + Send + Sync + 'static,
) -> Projection<SqliteConnection> {
    let is_over = AtomicBool::new(false);
    mails(move |conn, _| if is_over.swap(true, Ordering::Relaxed) { Ok(()) } else { wrong(conn) })
}

#[test]
fn a_partition_that_stops_is_reported_and_so_is_one_that_has_stopped() -> Result {
    let observed = Observed::alone();
    let log = log()?;
    let failing = || mails(|_, _| Err(HandlerError::failed("no such customer")));
    let running = start(&log, failing())?;
    observed.waits_for(
        "ERROR message=projection stopped name=mails version=3 partition=0 error=",
        "no such customer",
    )?;
    observed.waits_for("WARN message=projection runner disturbed error=", "no such customer")?;
    drop(running);
    let figures = observed.figures();
    assert_eq!(figures.counter("projection.failed"), 1);
    assert_eq!(figures.labels("projection.failed"), ["projection=mails", "version=3"]);

    let _next = start(&log, failing())?;
    observed.waits_for(
        "ERROR message=projection is stopped name=mails version=3 partition=0 error=",
        "no such customer",
    )
}

#[test]
fn a_batch_that_is_run_again_is_reported() -> Result {
    let observed = Observed::alone();
    let running = start(&log()?, once(|_| Err(HandlerError::retry("give way"))))?;
    observed.waits_for(
        "INFO message=batch will be run again name=mails version=3 partition=0 position=1 error=give way",
        "",
    )?;
    observed
        .waits_for("DEBUG message=batch applied name=mails version=3 partition=0 events=1 position=1", "")?;
    running.stop()?;
    let figures = observed.figures();
    assert_eq!(figures.counter("projection.run_again"), 1);
    assert_eq!(figures.counter("projection.applied"), 1);
    Ok(())
}

#[test]
fn the_handler_is_in_a_span_that_says_which_events_it_was_given() -> Result {
    let observed = Observed::alone();
    let running = start(
        &log()?,
        mails(|_, event| {
            tracing::info!(target: "diesel_event_store", id = event.aggregate_id(), "mail sent");
            Ok(())
        }),
    )?;
    observed.waits_for(
        "INFO in projection name=mails version=3 partition=0 events=1 first=1: message=mail sent id=",
        "",
    )?;
    Ok(running.stop()?)
}

#[test]
fn a_projection_at_the_end_of_the_log_has_no_lag() -> Result {
    let observed = Observed::alone();
    let running = start(&log()?, mails(|_, _| Ok(())))?;
    observed.waits_for("DEBUG message=batch applied", "")?;
    test_support::eventually("it has looked for more", || {
        Ok(observed.figures().gauge("projection.lag_seconds") == 0.0)
    })?;
    Ok(running.stop()?)
}

/// Everything that the runner's `failures` return.
fn disturbs(
    observed: &Observed,
    projection: Projection<SqliteConnection>,
    log: &Arc<SqliteFile>,
    error: &str,
) -> Result {
    let running = start(log, projection)?;
    observed.waits_for("WARN message=projection runner disturbed error=", error)?;
    let _ = running.stop();
    Ok(())
}

#[test]
fn a_lost_lease_is_reported() -> Result {
    let observed = Observed::alone();
    let log = log()?;
    let running = start(&log, mails(|_, _| Ok(())))?;
    observed.waits_for("DEBUG message=batch applied", "")?;
    let mut other = log.connect();
    execute(&mut other, "UPDATE projection_checkpoints SET fencing_token = fencing_token + 1")?;
    append_one(&mut other)?;
    observed.waits_for("WARN message=projection runner disturbed error=", "lease")?;
    let _ = running.stop();
    Ok(())
}

#[test]
fn an_event_that_is_handed_over_is_reported() -> Result {
    let observed = Observed::alone();
    let unknown = mails(|_, event| Err(HandlerError::unknown_event_type(event)));
    let within = Duration::from_secs(3600);
    disturbs(
        &observed,
        unknown.on_unknown_event_type(OnFailure::HandOver { within }),
        &log()?,
        "to a worker of another one",
    )
}

#[test]
fn a_failure_that_cannot_be_recorded_is_reported() -> Result {
    let observed = Observed::alone();
    let log = log()?;
    execute(
        &mut log.connect(),
        "CREATE TRIGGER nothing_is_parked BEFORE INSERT ON parked_events \
         BEGIN SELECT RAISE(ABORT, 'not here'); END",
    )?;
    let failing = mails(|_, _| Err(HandlerError::failed("no such customer")));
    disturbs(&observed, failing.on_failure(OnFailure::Park), &log, "could not be recorded")
}

#[test]
fn a_connection_that_cannot_be_had_is_reported() -> Result {
    let observed = Observed::alone();
    let (log, here) = (log()?, thread::current().id());
    let connect = move || match thread::current().id() == here {
        true => Ok(log.connect()),
        false => Err(ConnectionError::BadConnection("the disk is away".to_owned())),
    };
    let running = Runner::new(connect).projection(mails(|_, _| Ok(()))).start()?;
    observed.waits_for("WARN message=projection runner disturbed error=", "the disk is away")?;
    let _ = running.stop();
    Ok(())
}
