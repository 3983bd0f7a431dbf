use diesel::result::QueryResult;

use crate::model::leaf::Leaf;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::storage::operations::operations;

operations! {
    one by one:
    /// What was archived.
    pub(crate) trait Rewrites {
        /// The position of the last event that is not there any more because it was archived.
        fn archived_to(&mut self) -> QueryResult<Position>;

        /// The version up to which the events of a stream were archived; 0 if none were.
        fn archived_version(&mut self, stream: &StreamId) -> QueryResult<i64>;

        /// The version of the first event that a stream has, or will have if it has none.
        fn first_version(&mut self, stream: &StreamId) -> QueryResult<i64>;

        /// What is left of the events after a position and up to another, at most `limit`, in their order.
        /// While they are archived, the events are there, too.
        fn leaves(&mut self, after: Position, up_to: Position, limit: i64) -> QueryResult<Vec<Leaf>>;

        /// How many events there are after a position and up to another.
        fn events_between(&mut self, after: Position, up_to: Position) -> QueryResult<i64>;
    }
}
