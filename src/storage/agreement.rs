use diesel::result::QueryResult;
use uuid::Uuid;

use crate::model::stream_id::StreamId;
use crate::storage::operations::operations;

/// A stream whose head is not at the version of its last event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrongHead {
    pub(crate) stream: StreamId,
    pub(crate) last: i64,
    /// None if there is no head.
    pub(crate) head: Option<i64>,
}

operations! {
    /// What does not agree with the events: at most so many, the first of them.
    pub(crate) trait Agreement {
        fn wrong_heads(&mut self, limit: i64) -> QueryResult<Vec<WrongHead>>;

        /// The ids that several events have.
        fn shared_ids(&mut self, limit: i64) -> QueryResult<Vec<Uuid>>;
    }
}
