use chrono::{DateTime, Utc};
use diesel::result::QueryResult;

use crate::model::append_key::{KeyedAppend, NewKey};
use crate::model::hole::Hole;
use crate::model::partition::Partition;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::stream_id::StreamId;
use crate::storage::operations::operations;

/// A stream of which events are not in the log any more: they were archived or erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamStart {
    pub(crate) stream: StreamId,
    /// Of its first event; `None` if there is none left.
    pub(crate) first_version: Option<i64>,
    /// Of its last event, also if that is not there any more.
    pub(crate) version: i64,
    /// Its events up to this version were archived; 0 if none were.
    pub(crate) archived_version: i64,
    /// What is missing after its first event.
    pub(crate) missing: Vec<Hole>,
}

/// An idempotency key, and what it was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsedKey {
    /// Empty if there is none.
    pub(crate) tenant_id: String,
    pub(crate) key: String,
    pub(crate) append: KeyedAppend,
    pub(crate) created_at: DateTime<Utc>,
}

impl UsedKey {
    pub(crate) fn as_new(&self) -> NewKey<'_> {
        let Self { tenant_id, key, append, created_at } = self;
        NewKey { tenant_id, key, append: *append, now: *created_at }
    }
}

operations! {
    /// What goes along with the events of a log that moves.
    pub(crate) trait Carry {
        /// The streams that do not begin with version 1, in the order of their names, as they are up to this
        /// position.
        fn stream_starts(&mut self, up_to: Position) -> QueryResult<Vec<StreamStart>>;

        /// The others of which something is missing. It counts the events of every stream.
        fn streams_with_holes(&mut self, up_to: Position) -> QueryResult<Vec<StreamStart>>;

        /// What is missing after the first event of a stream, up to this position.
        fn holes(&mut self, stream: &StreamId, up_to: Position) -> QueryResult<Vec<Hole>>;

        /// Whether any stream has a head.
        fn has_heads(&mut self) -> QueryResult<bool>;

        /// The version of a stream's last event.
        fn set_head(&mut self, stream: &StreamId, version: i64) -> QueryResult<()>;

        /// A partition as it was elsewhere, without its owner.
        fn restore_partition(&mut self, partition: &Partition) -> QueryResult<()>;

        /// Takes the partitions from whatever workers have them, until they are given back.
        fn seize(&mut self, projection: &ProjectionId) -> QueryResult<usize>;

        /// Lets workers have again what was taken so.
        fn give_back(&mut self) -> QueryResult<usize>;

        /// All idempotency keys.
        fn delete_keys(&mut self) -> QueryResult<usize>;

        /// The idempotency keys behind the one of this tenant, in their order, whose events lie up to this
        /// position or have been erased.
        fn keys_after(
            &mut self,
            tenant_id: &str,
            key: &str,
            up_to: Position,
            limit: i64,
        ) -> QueryResult<Vec<UsedKey>>;

        /// Whether the note of the log was the first of these. It is the second now.
        fn replace_note(&mut self, from: &str, to: &str) -> QueryResult<bool>;
    }
}
