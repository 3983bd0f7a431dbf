use std::time::Duration;

use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;

/// A partition of a projection has moved on, as [`Runner::on_progress`](super::Runner::on_progress) is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub(super) projection: ProjectionId,
    pub(super) partition: i32,
    pub(super) position: Position,
    pub(super) applied: u64,
    pub(super) took: Duration,
}

impl Progress {
    /// The projection.
    pub fn projection(&self) -> &ProjectionId {
        &self.projection
    }

    /// The number of the partition.
    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// Everything up to here is applied.
    pub fn position(&self) -> Position {
        self.position
    }

    /// How many events were applied since the last report.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// How long that took.
    pub fn took(&self) -> Duration {
        self.took
    }
}
