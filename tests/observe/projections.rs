use std::time::Duration;

use diesel::prelude::*;
use diesel_event_store::projection::{HandlerError, OnFailure, Projection};
use diesel_event_store::{Error, EventStore, ExpectedVersion, NewEvent, StreamId, run_pending_migrations};
use metrics_util::debugging::DebuggingRecorder;

use super::recorded::Figures;
use super::subscriber::Kept;

/// On the test's own thread, to which recorder and subscriber belong.
#[test]
fn projections_are_reported() -> Result<(), Box<dyn std::error::Error>> {
    let (recorder, traces) = (DebuggingRecorder::new(), Kept::default());
    let figures = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        tracing::subscriber::with_default(traces.clone(), three_events_of_which_one_fails)
    })?;
    let figures = Figures::of(&figures);
    assert_eq!(figures.counter("projection.applied"), 2);
    assert_eq!(figures.counter("projection.retried"), 1);
    assert_eq!(figures.counter("projection.parked"), 1);
    assert_eq!(figures.histogram("projection.batch_seconds").len(), 2);
    assert!(figures.gauge("projection.lag_seconds") < 60.0);

    let traced = traces.take();
    let has = |beginning: &str| traced.iter().any(|line| line.starts_with(beginning));
    assert!(
        has("DEBUG message=batch applied name=mails version=3 partition=0 events=1 position=3"),
        "{traced:?}"
    );
    assert!(has(
        "WARN message=event will be retried name=mails version=3 partition=0 position=2 attempts=1 error=no"
    ));
    assert!(has(
        "WARN message=event parked name=mails version=3 partition=0 position=2 reason=failed error=no"
    ));
    Ok(())
}

fn three_events_of_which_one_fails() -> Result<(), Error> {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    run_pending_migrations(&mut conn)?;
    for event_type in ["Good", "Bad", "Good"] {
        let stream = StreamId::new("Order", event_type)?;
        EventStore::new().append(
            &mut conn,
            &stream,
            ExpectedVersion::Any,
            &[NewEvent::new(event_type, &())?],
        )?;
    }
    let mails = Projection::new("mails", 3, |_: &mut SqliteConnection, event| match event.event_type() {
        "Good" => Ok(()),
        _ => Err(HandlerError::failed("no such customer")),
    });
    mails.on_failure(OnFailure::Park).retries(1, Duration::ZERO).catch_up(&mut conn)?;
    Ok(())
}
