use std::time::Duration;

use diesel::result::QueryResult;

use crate::model::projection_id::ProjectionId;
use crate::storage::operations::operations;

/// What has to change before a worker has anything to do about its partitions, beside applying events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sharing {
    /// How many active partitions no worker has leased.
    pub(crate) free: i64,
    pub(crate) workers: i64,
    /// Where the partition is that is furthest in the log.
    pub(crate) furthest: i64,
    /// One if a retry or a discard of parked events is requested, else none.
    pub(crate) requests: i64,
}

operations! {
    one by one:
    /// The workers that run a projection.
    pub(crate) trait Workers {
        /// Reports that the worker runs, for the length of a lease. Two statements the first time.
        fn report_worker(
            &mut self,
            projection: &ProjectionId,
            worker: &str,
            lease: Duration,
        ) -> QueryResult<()>;

        /// The workers that run, sorted.
        fn workers(&mut self, projection: &ProjectionId) -> QueryResult<Vec<String>>;

        /// What there is to share, in one statement.
        fn sharing(&mut self, projection: &ProjectionId) -> QueryResult<Sharing>;

        /// Forgets this worker, and those that have not reported for an hour.
        fn forget_worker(&mut self, projection: &ProjectionId, worker: &str) -> QueryResult<()>;
    }
}
