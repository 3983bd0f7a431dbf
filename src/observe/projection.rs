//! What projections report. Every metric is labelled with the name and the version of the projection, and a
//! gauge with the partition, too.

use std::fmt::Display;
use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use crate::model::event::RecordedEvent;
use crate::model::parked::ParkedEvent;
use crate::model::partition::PartitionKey;
use crate::model::position::Position;

/// The span of a batch.
pub(crate) struct Batch {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

impl Batch {
    /// The tracing events of the handler are inside the span.
    pub(crate) async fn around<H: Future>(&self, handling: H) -> H::Output {
        let mut handling = pin!(handling);
        poll_fn(|context| {
            #[cfg(feature = "tracing")]
            let _entered = self.span.enter();
            handling.as_mut().poll(context)
        })
        .await
    }
}

pub(crate) fn batch(partition: &PartitionKey, events: &[RecordedEvent]) -> Batch {
    Batch {
        #[cfg(feature = "tracing")]
        span: tracing::debug_span!(
            target: "diesel_event_store",
            "projection",
            name = %partition.projection.name,
            version = partition.projection.version,
            partition = partition.number,
            events = events.len(),
            first = events.first().map(|event| event.position().get()),
        ),
    }
}

/// A batch is committed.
pub(crate) fn applied(partition: &PartitionKey, events: usize, to: Position, took: Duration) {
    #[cfg(feature = "metrics")]
    {
        let labels = labels(partition);
        metrics::counter!("diesel_event_store.projection.applied", labels.clone()).increment(events as u64);
        metrics::histogram!("diesel_event_store.projection.batch_seconds", labels).record(took);
    }
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: "diesel_event_store",
        name = %partition.projection.name,
        version = partition.projection.version,
        partition = partition.number,
        events,
        position = to.get(),
        seconds = took.as_secs_f64(),
        "batch applied"
    );
}

/// The age of the last event that was applied; zero at the end of the log.
pub(crate) fn lag(partition: &PartitionKey, lag: Duration) {
    #[cfg(feature = "metrics")]
    {
        let mut labels = labels(partition);
        labels.push(metrics::Label::new("partition", partition.number.to_string()));
        metrics::gauge!("diesel_event_store.projection.lag_seconds", labels).set(lag.as_secs_f64());
    }
}

/// The handler has failed and will be given the event again.
pub(crate) fn retried(partition: &PartitionKey, event: &RecordedEvent, attempts: i32, error: &impl Display) {
    #[cfg(feature = "metrics")]
    metrics::counter!("diesel_event_store.projection.retried", labels(partition)).increment(1);
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: "diesel_event_store",
        name = %partition.projection.name,
        version = partition.projection.version,
        partition = partition.number,
        position = event.position().get(),
        attempts,
        %error,
        "event will be retried"
    );
}

/// A failure that does not count: the batch is run again.
pub(crate) fn transient(partition: &PartitionKey, event: &RecordedEvent, error: &impl Display) {
    #[cfg(feature = "metrics")]
    metrics::counter!("diesel_event_store.projection.run_again", labels(partition)).increment(1);
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: "diesel_event_store",
        name = %partition.projection.name,
        version = partition.projection.version,
        partition = partition.number,
        position = event.position().get(),
        %error,
        "batch will be run again"
    );
}

pub(crate) fn parked(partition: &PartitionKey, parked: &ParkedEvent) {
    #[cfg(feature = "metrics")]
    metrics::counter!("diesel_event_store.projection.parked", labels(partition)).increment(1);
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: "diesel_event_store",
        name = %partition.projection.name,
        version = partition.projection.version,
        partition = partition.number,
        position = parked.position.get(),
        reason = %parked.reason.as_str(),
        error = %parked.error,
        "event parked"
    );
}

/// A partition has stopped until it is resumed.
pub(crate) fn failed(partition: &PartitionKey, error: &impl Display) {
    #[cfg(feature = "metrics")]
    metrics::counter!("diesel_event_store.projection.failed", labels(partition)).increment(1);
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: "diesel_event_store",
        name = %partition.projection.name,
        version = partition.projection.version,
        partition = partition.number,
        %error,
        "projection stopped"
    );
}

/// A runner has found a partition that was stopped before, or by another worker.
pub(crate) fn found_stopped(partition: &PartitionKey, error: &impl Display) {
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: "diesel_event_store",
        name = %partition.projection.name,
        version = partition.projection.version,
        partition = partition.number,
        %error,
        "projection is stopped"
    );
}

/// Whatever goes wrong in a runner and is returned by its `failures`.
pub(crate) fn disturbed(error: &impl Display) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "diesel_event_store", %error, "projection runner disturbed");
}

#[cfg(feature = "metrics")]
fn labels(partition: &PartitionKey) -> Vec<metrics::Label> {
    vec![
        metrics::Label::new("projection", partition.projection.name.clone()),
        metrics::Label::new("version", partition.projection.version.to_string()),
    ]
}
