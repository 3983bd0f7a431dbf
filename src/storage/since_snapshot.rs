use diesel::result::QueryResult;

use crate::model::event::RecordedEvent;
use crate::model::snapshot::Snapshot;
use crate::model::stream_id::StreamId;
use crate::storage::operations::operations;

/// How many events of a stream are read at once.
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
    /// What was read from the snapshot's event on, or from the first one, up to [`PAGE`] events. If these are
    /// not the first ones, none are kept: they were read in any order, and there are gaps between them.
    pub(crate) fn page(snapshot: Option<Snapshot>, mut events: Vec<RecordedEvent>) -> Self {
        events.sort_by_key(RecordedEvent::version);
        let (from, of_snapshot) = snapshot.as_ref().map_or((1, 0), |snapshot| (snapshot.version, 1));
        let is_all = events.len() + of_snapshot < PAGE as usize;
        let has_gaps = events.last().is_some_and(|last| last.version() >= from + PAGE);
        if !is_all && has_gaps {
            events.clear();
        }
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
