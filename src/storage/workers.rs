use std::time::Duration;

use diesel::result::QueryResult;

use crate::model::projection_id::ProjectionId;
use crate::storage::operations::operations;

operations! {
    /// The workers that run a projection.
    pub(crate) trait Workers {
        /// Says that the worker is there for as long as a lease. Two statements the first time.
        fn report_worker(&mut self, projection: &ProjectionId, worker: &str, lease: Duration) -> QueryResult<()>;

        /// Those that are there, sorted.
        fn workers(&mut self, projection: &ProjectionId) -> QueryResult<Vec<String>>;

        /// Forgets this worker, and those that were not seen for long.
        fn forget_worker(&mut self, projection: &ProjectionId, worker: &str) -> QueryResult<()>;
    }
}
