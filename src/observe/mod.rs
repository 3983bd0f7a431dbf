//! The metrics and tracing events that the application can receive: every name in one place. Without the
//! features `metrics` and `tracing` the functions are empty. `docs/operations.md` explains each of them.
#![cfg_attr(not(all(feature = "metrics", feature = "tracing")), allow(unused_variables))]

pub(crate) mod projection;

use std::fmt::Display;

use crate::model::appended::Appended;
use crate::model::expected_version::Conflict;
use crate::model::stream_id::StreamId;

pub(crate) fn appended(appended: &Appended) {
    #[cfg(feature = "metrics")]
    metrics::counter!("diesel_event_store.events.appended").increment(appended.events().len() as u64);
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: "diesel_event_store",
        stream = %appended.events()[0].stream(),
        events = appended.events().len(),
        version = appended.version(),
        "events appended"
    );
}

pub(crate) fn conflict(conflict: &Conflict) {
    #[cfg(feature = "metrics")]
    metrics::counter!("diesel_event_store.append.conflicts").increment(1);
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "diesel_event_store", %conflict, "append refused by a conflict");
}

/// Another append was faster, or the database has asked for it: the command is decided again.
pub(crate) fn aggregate_retried(stream: &StreamId, attempt: u32) {
    #[cfg(feature = "metrics")]
    metrics::counter!(
        "diesel_event_store.aggregate.retried",
        "aggregate_type" => stream.aggregate_type().to_owned()
    )
    .increment(1);
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "diesel_event_store", %stream, attempt, "command is decided again");
}

/// The state of an aggregate is folded from its events, although it has a snapshot.
pub(crate) fn snapshot_unreadable(stream: &StreamId, error: &dyn Display) {
    #[cfg(feature = "metrics")]
    metrics::counter!(
        "diesel_event_store.snapshot.unreadable",
        "aggregate_type" => stream.aggregate_type().to_owned()
    )
    .increment(1);
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "diesel_event_store", %stream, %error, "snapshot cannot be read");
}

pub(crate) fn snapshot_not_written(stream: &StreamId, error: &dyn Display) {
    #[cfg(feature = "metrics")]
    metrics::counter!(
        "diesel_event_store.snapshot.not_written",
        "aggregate_type" => stream.aggregate_type().to_owned()
    )
    .increment(1);
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "diesel_event_store", %stream, %error, "snapshot cannot be written");
}

/// A transaction of the application has lost against another.
pub(crate) fn transaction_run_again(attempt: u32) {
    #[cfg(feature = "metrics")]
    metrics::counter!("diesel_event_store.transaction.run_again").increment(1);
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "diesel_event_store", attempt, "transaction is run again");
}

#[cfg(feature = "sqlite")]
pub(crate) mod writer {
    use std::fmt::Display;
    use std::time::Duration;

    /// The requests that still wait after a group was taken.
    pub(crate) fn queue_depth(requests: usize) {
        #[cfg(feature = "metrics")]
        metrics::gauge!("diesel_event_store.writer.queue_depth").set(requests as f64);
    }

    pub(crate) fn committed(batch_size: usize, commit: Duration) {
        #[cfg(feature = "metrics")]
        {
            metrics::histogram!("diesel_event_store.writer.batch_size").record(batch_size as f64);
            metrics::histogram!("diesel_event_store.writer.commit_seconds").record(commit);
        }
        #[cfg(feature = "tracing")]
        tracing::debug!(
            target: "diesel_event_store",
            batch_size,
            commit_seconds = commit.as_secs_f64(),
            "group committed"
        );
    }

    pub(crate) fn failed(batch_size: usize, error: &impl Display) {
        #[cfg(feature = "tracing")]
        tracing::warn!(target: "diesel_event_store", batch_size, %error, "group failed");
    }
}
