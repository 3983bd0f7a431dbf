use diesel::result::QueryResult;

use crate::model::leaf::Leaf;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::storage::operations::operations;

/// A stream that ends before a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndedStream {
    pub(crate) stream: StreamId,
    /// Of its first event that is there.
    pub(crate) first_version: i64,
    /// Of its last event.
    pub(crate) version: i64,
    /// How many events are there.
    pub(crate) events: i64,
}

operations! {
    /// How events leave the log, and come back.
    pub(crate) trait Archive {
        /// The streams that have events and whose last event lies before a position, at most `limit`, behind
        /// a stream in the order of their names.
        fn ended_streams(
            &mut self,
            before: Position,
            behind: Option<&StreamId>,
            limit: i64,
        ) -> QueryResult<Vec<EndedStream>>;

        /// The positions, after one and up to another, of events that were archived and are not there any
        /// more: at most `limit`, in their order.
        fn archived_positions(
            &mut self,
            after: Position,
            up_to: Position,
            limit: i64,
        ) -> QueryResult<Vec<Position>>;

        /// From now on these events may be removed: this is what is left of them then.
        fn insert_leaves(&mut self, leaves: &[Leaf]) -> QueryResult<()>;

        /// Says that the events of a stream are archived up to its last one, which has this version. `false`
        /// if it has another version by now.
        fn archive_head(&mut self, stream: &StreamId, version: i64) -> QueryResult<bool>;

        /// The events of a stream are archived up to this version; 0 if none are.
        fn set_archived_version(&mut self, stream: &StreamId, version: i64) -> QueryResult<()>;

        /// Removes the events of a stream and its snapshots. The database refuses to remove an event of which
        /// nothing would be left. Returns how many events there were.
        fn remove_stream(&mut self, stream: &StreamId, version: i64) -> QueryResult<usize>;

        /// Forgets what was left of the events at these positions, which are there again.
        fn forget_leaves(&mut self, positions: &[Position]) -> QueryResult<()>;
    }
}
