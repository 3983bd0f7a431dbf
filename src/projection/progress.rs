use std::time::Duration;

use crate::model::position::Position;

/// A partition of a projection has come further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub(super) projection: String,
    pub(super) version: i32,
    pub(super) partition: i32,
    pub(super) position: Position,
    pub(super) applied: u64,
    pub(super) took: Duration,
}

impl Progress {
    /// The name of the projection.
    pub fn projection(&self) -> &str {
        &self.projection
    }

    /// The version of the projection.
    pub fn version(&self) -> i32 {
        self.version
    }

    /// The number of the partition.
    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// Everything up to here is applied.
    pub fn position(&self) -> Position {
        self.position
    }

    /// How many events were applied since the last time.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// How long that has taken.
    pub fn took(&self) -> Duration {
        self.took
    }
}
