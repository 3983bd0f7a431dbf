use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::result::QueryResult;

use crate::model::partition::{Claim, Partition, PartitionKey};
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::witness::Witness;
use crate::storage::operations::operations;

/// A partition that is to be created.
#[derive(Debug, Clone)]
pub(crate) struct NewPartition {
    pub(crate) key: PartitionKey,
    pub(crate) count: i32,
    pub(crate) position: Position,
    pub(crate) witness: Option<Witness>,
    pub(crate) token: i64,
    pub(crate) now: DateTime<Utc>,
}

impl NewPartition {
    /// The only one of its projection, which no worker has claimed.
    pub(crate) fn alone(key: PartitionKey, position: Position, now: DateTime<Utc>) -> Self {
        Self { key, count: 1, position, witness: None, token: 0, now }
    }
}

/// Where a checkpoint is moved.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) to: Position,
    /// The last event that was applied on the way.
    pub(crate) witness: Option<Witness>,
    pub(crate) now: DateTime<Utc>,
}

operations! {
    one by one:
    /// The partitions of projections, with their checkpoints and leases. Every operation is one statement.
    /// `bool` tells whether the row was there, as it was expected, and `usize` how many there were.
    pub(crate) trait Partitions {
        /// The partitions of one version of a projection, in the order of their numbers.
        fn partitions(&mut self, projection: &ProjectionId) -> QueryResult<Vec<Partition>>;

        /// A single partition, if it was created.
        fn partition(&mut self, partition: &PartitionKey) -> QueryResult<Option<Partition>>;

        /// The partitions of all projections, in the order of their names and versions.
        fn every_partition(&mut self) -> QueryResult<Vec<Partition>>;

        /// Creates the partition, unless it exists.
        fn create_partition(&mut self, partition: &NewPartition) -> QueryResult<()>;

        fn delete_partitions(&mut self, projection: &ProjectionId) -> QueryResult<usize>;

        /// Takes the partition, if it is active and has no owner, or its owner's lease has run out.
        fn claim(&mut self, partition: &PartitionKey, owner: &str, lease: Duration) -> QueryResult<bool>;

        fn renew(&mut self, claim: &Claim) -> QueryResult<bool>;

        fn release(&mut self, claim: &Claim) -> QueryResult<bool>;

        /// Moves the checkpoint, if the claim holds and no barrier is in the way.
        fn advance(&mut self, claim: &Claim, step: &Step) -> QueryResult<bool>;

        /// Records why the partition does not move on, and since when, while its worker tries again.
        fn note_failure(&mut self, claim: &Claim, error: &str) -> QueryResult<bool>;

        /// Forgets that: it moves on.
        fn forget_failure(&mut self, claim: &Claim) -> QueryResult<bool>;

        /// Marks the partition as failed. No worker claims it until it is resumed.
        fn fail(&mut self, claim: &Claim, error: &str) -> QueryResult<bool>;

        /// Lets failed partitions be claimed again.
        fn resume(&mut self, projection: &ProjectionId) -> QueryResult<usize>;

        /// Puts all partitions at a position. Who applies them, and whether, stays as it is.
        fn rewind(
            &mut self,
            projection: &ProjectionId,
            position: Position,
            now: DateTime<Utc>,
        ) -> QueryResult<usize>;

        /// Puts all partitions at a position, active and without an owner.
        fn reset(
            &mut self,
            projection: &ProjectionId,
            position: Position,
            now: DateTime<Utc>,
        ) -> QueryResult<usize>;

        fn retire(&mut self, projection: &ProjectionId) -> QueryResult<usize>;

        /// Sets a barrier: nothing above it is applied until the number of partitions has been changed.
        fn raise_barrier(
            &mut self,
            projection: &ProjectionId,
            barrier: Position,
            next_count: i32,
        ) -> QueryResult<usize>;

        /// Sets a barrier that lies below this position up to there.
        fn lift_barrier(&mut self, projection: &ProjectionId, barrier: Position) -> QueryResult<usize>;

        /// Fences the owners of the active partitions that have arrived at the barrier, and returns how many
        /// there are.
        fn lock_at_barrier(&mut self, projection: &ProjectionId, barrier: Position) -> QueryResult<usize>;
    }
}
