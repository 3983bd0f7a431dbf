use diesel::result::QueryResult;

use crate::model::event::RecordedEvent;
use crate::model::snapshot::Snapshot;
use crate::model::stream_id::StreamId;
use crate::storage::operations::operations;

/// How many events are read at once.
pub(crate) const PAGE: i64 = 1_000;

/// A stream from its snapshot on.
#[derive(Debug, Default)]
pub(crate) struct Since {
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) events: Vec<RecordedEvent>,
    /// Whether there are no more.
    pub(crate) is_all: bool,
}

impl Since {
    /// The events from the snapshot on, or from the first one, up to [`PAGE`] versions.
    pub(crate) fn page(snapshot: Option<Snapshot>, events: Vec<RecordedEvent>) -> Self {
        let from = snapshot.as_ref().map_or(1, |snapshot| snapshot.version);
        let is_all = events.last().is_none_or(|last| last.version() < from + PAGE - 1);
        Self { snapshot, events, is_all }
    }
}

operations! {
    pub(crate) trait SinceSnapshot {
        /// The snapshot of this version, only if the stream has its event, and a page of the events since
        /// then; without it, from the first one on.
        fn since_snapshot(&mut self, stream: &StreamId, version: i32) -> QueryResult<Since>;
    }
}
