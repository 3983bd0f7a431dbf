use std::hash::Hasher;
use std::time::Duration;

use chrono::{DateTime, Utc};
use twox_hash::XxHash64;

use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::stream_id::StreamId;
use crate::model::witness::Witness;

/// A part of a projection: of the aggregates whose hash falls on its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartitionKey {
    pub(crate) projection: ProjectionId,
    pub(crate) number: i32,
}

/// A row of `projection_checkpoints`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Partition {
    pub(crate) key: PartitionKey,
    pub(crate) count: i32,
    pub(crate) position: Position,
    /// The last event applied.
    pub(crate) witness: Option<Witness>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) state: State,
    /// Why it has failed, or is tried again.
    pub(crate) last_error: Option<String>,
    pub(crate) failing: Option<Failing>,
    /// Whose lease has not run out.
    pub(crate) owner: Option<String>,
    pub(crate) token: i64,
    pub(crate) barrier: Option<Barrier>,
}

/// Since when a partition fails, by the database's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failing {
    pub(crate) since: DateTime<Utc>,
    /// How long that is.
    pub(crate) lasts: Duration,
}

/// Who has the partitions of a projection whose read model moves to another database, or has moved there.
pub(crate) const MOVED_AWAY: &str = "moved to another database";

/// A worker's right to apply events to a partition. What is written under it is fenced by its token.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) partition: PartitionKey,
    pub(crate) token: i64,
    /// Where the checkpoint is.
    pub(crate) position: Position,
    pub(crate) lease: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Active,
    Failed,
    Retired,
}

/// Nothing above is applied until the number of partitions has been changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Barrier {
    pub(crate) position: Position,
    pub(crate) next_count: i32,
}

impl Partition {
    /// Of a partition that was created to be claimed.
    pub(crate) const FIRST_TOKEN: i64 = 1;

    /// Whether it is only a checkpoint that the application keeps itself: no worker has ever run it.
    pub(crate) fn is_manual(&self) -> bool {
        self.token < Self::FIRST_TOKEN
    }

    /// No worker that has claimed it elsewhere can be mistaken for one that claims it here: it may be pointed
    /// at this database, and go on.
    #[cfg(all(feature = "transfer", feature = "_blocking"))]
    pub(crate) fn fence(&mut self) {
        if !self.is_manual() {
            self.token = self.token.max(Utc::now().timestamp_millis());
        }
    }

    /// What follows when it is claimed.
    pub(crate) fn claimed(self, lease: Duration) -> Claim {
        Claim { partition: self.key, token: self.token, position: self.position, lease }
    }
}

impl State {
    /// As it stands in the database, and in a file.
    #[cfg(all(feature = "transfer", feature = "_blocking"))]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Failed => "failed",
            Self::Retired => "retired",
        }
    }

    /// As it stands in the database.
    pub(crate) fn stored(state: &str) -> Option<Self> {
        match state {
            "active" => Some(Self::Active),
            "failed" => Some(Self::Failed),
            "retired" => Some(Self::Retired),
            _ => None,
        }
    }
}

/// The partition that all events of an aggregate belong to. It must never change, on no machine: what one
/// partition has applied another must not.
pub(crate) fn partition_of(stream: &StreamId, count: i32) -> i32 {
    if count == 1 {
        return 0;
    }
    let mut hasher = XxHash64::with_seed(0);
    hasher.write(stream.aggregate_type().as_bytes());
    hasher.write(&[0]); // which no name has
    hasher.write(stream.aggregate_id().as_bytes());
    if let Some(tenant_id) = stream.tenant_id() {
        hasher.write(&[0]);
        hasher.write(tenant_id.as_bytes());
    }
    let count = u64::try_from(count).expect("a count is above 0");
    i32::try_from(hasher.finish() % count).expect("it is below the count")
}
