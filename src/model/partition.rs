use std::error::Error as StdError;
use std::hash::Hasher;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::prelude::Queryable;
use diesel::result::{Error, QueryResult};
use twox_hash::XxHash64;
use uuid::Uuid;

use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::stream_id::StreamId;

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
    pub(crate) last_event_id: Option<Uuid>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) state: State,
    pub(crate) last_error: Option<String>,
    /// Whose lease has not run out.
    pub(crate) owner: Option<String>,
    pub(crate) token: i64,
    pub(crate) barrier: Option<Barrier>,
}

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

/// In the order of the columns that `ProjectionTables` reads.
#[derive(Debug, Queryable)]
pub(crate) struct PartitionRow<T> {
    projection_name: String,
    projection_version: i32,
    partition_number: i32,
    partition_count: i32,
    last_global_position: i64,
    last_event_id: Option<String>,
    updated_at: T,
    state: String,
    last_error: Option<String>,
    owner: Option<String>,
    leased_until: Option<i64>,
    fencing_token: i64,
    barrier_position: Option<i64>,
    next_partition_count: Option<i32>,
    now: i64,
}

impl Partition {
    pub(crate) fn stored<T: Into<DateTime<Utc>>>(row: PartitionRow<T>) -> QueryResult<Self> {
        let projection = ProjectionId { name: row.projection_name, version: row.projection_version };
        let is_leased = row.leased_until.is_some_and(|until| until > row.now);
        Ok(Self {
            key: PartitionKey { projection, number: row.partition_number },
            count: row.partition_count,
            position: Position::stored(row.last_global_position),
            last_event_id: row
                .last_event_id
                .as_deref()
                .map(Uuid::try_parse)
                .transpose()
                .map_err(unreadable)?,
            updated_at: row.updated_at.into(),
            state: State::stored(&row.state)?,
            last_error: row.last_error,
            owner: row.owner.filter(|_| is_leased),
            token: row.fencing_token,
            barrier: Barrier::stored(row.barrier_position, row.next_partition_count),
        })
    }

    /// What follows when it is claimed.
    pub(crate) fn claimed(self, lease: Duration) -> Claim {
        Claim { partition: self.key, token: self.token, position: self.position, lease }
    }
}

impl State {
    fn stored(state: &str) -> QueryResult<Self> {
        match state {
            "active" => Ok(Self::Active),
            "failed" => Ok(Self::Failed),
            "retired" => Ok(Self::Retired),
            other => Err(unreadable(format!("a projection has the state {other:?}"))),
        }
    }
}

impl Barrier {
    fn stored(position: Option<i64>, next_count: Option<i32>) -> Option<Self> {
        Some(Self { position: Position::stored(position?), next_count: next_count? })
    }
}

pub(crate) fn unreadable(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    Error::DeserializationError(error.into())
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
    let count = u64::try_from(count).expect("a count is above 0");
    i32::try_from(hasher.finish() % count).expect("it is below the count")
}
