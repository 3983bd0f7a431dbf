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

operations! {
    pub(crate) trait SinceSnapshot {
        /// The snapshot of this version, only if the stream has its event, and a page of the events since
        /// then; without it, from the first one on.
        fn since_snapshot(&mut self, stream: &StreamId, version: i32) -> QueryResult<Since>;
    }
}
