use diesel::result::QueryResult;

use crate::model::snapshot::Snapshot;
use crate::model::stream_id::StreamId;
use crate::storage::operations::operations;

operations! {
    /// The states of aggregates that are stored. `version` is that of the snapshots.
    pub(crate) trait Snapshots {
        /// Only if the stream has the snapshot's event at the snapshot's version.
        fn snapshot(&mut self, stream: &StreamId, version: i32) -> QueryResult<Option<Snapshot>>;

        /// In place of the one that there is.
        fn put_snapshot(&mut self, stream: &StreamId, version: i32, snapshot: &Snapshot) -> QueryResult<()>;

        /// The streams that have a snapshot of this version, the one with the oldest event first.
        fn streams_with_snapshots(
            &mut self,
            aggregate_type: &str,
            version: i32,
            limit: i64,
        ) -> QueryResult<Vec<StreamId>>;

        /// Those of lower versions, of all tenants. Returns how many there were.
        fn delete_snapshots_below(&mut self, aggregate_type: &str, version: i64) -> QueryResult<usize>;
    }
}
