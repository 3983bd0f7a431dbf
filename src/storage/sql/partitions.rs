//! The statements on `projection_checkpoints`, as far as it is the table of the partitions of projections.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::deserialize;
use diesel::expression::QueryMetadata;
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use uuid::Uuid;

use crate::model::partition::{Barrier, Claim, Failing, Partition, PartitionKey, State};
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::witness::Witness;
use crate::storage::executor::Executor;
use crate::storage::lent::{BackendOf, Lent};
use crate::storage::partitions::{NewPartition, Partitions, Step};
use crate::storage::sql::dialect::{Dialect, Id, Time};
use crate::storage::sql::lease::millis;
use crate::storage::sql::row::{Columns, optional, value, word};
use crate::storage::sql::rows::{FromRow, Stored};
use crate::storage::sql::statement::statement;

/// The types of the columns that `select_partitions!` names. An owner whose lease has run out is none.
type PartitionColumns = (
    Text,
    Integer,
    Integer,
    Integer,
    BigInt,
    Nullable<BigInt>,
    Nullable<Id>,
    Time,
    Text,
    Nullable<Text>,
    Nullable<Text>,
    BigInt,
    Nullable<BigInt>,
    Nullable<Integer>,
    BigInt,
    Nullable<BigInt>,
);

macro_rules! select_partitions {
    ($rest:literal) => {
        concat!(
            "SELECT projection_name, projection_version, partition_number, partition_count, \
             last_global_position, last_event_position, last_event_id, updated_at, state, last_error, \
             CASE WHEN leased_until > {now} THEN owner END, fencing_token, barrier_position, \
             next_partition_count, {now}, failing_since FROM projection_checkpoints ",
            $rest
        )
    };
}

impl<DB: Columns> FromRow<DB> for Partition {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        let projection =
            ProjectionId { name: value(row, 0, DB::text)?.into(), version: value(row, 1, DB::integer)? };
        Ok(Self {
            key: PartitionKey { projection, number: value(row, 2, DB::integer)? },
            count: value(row, 3, DB::integer)?,
            position: Position::stored(value(row, 4, DB::long)?),
            witness: witness(row)?,
            updated_at: value(row, 7, DB::time)?,
            state: word(row, 8, "the state of a projection", State::stored)?,
            last_error: optional(row, 9, DB::text)?.map(Into::into),
            failing: failing(row)?,
            owner: optional(row, 10, DB::text)?.map(Into::into),
            token: value(row, 11, DB::long)?,
            barrier: barrier(row)?,
        })
    }
}

fn witness<'r, DB: Columns>(row: &impl Row<'r, DB>) -> deserialize::Result<Option<Witness>> {
    let (position, event_id) = (optional(row, 5, DB::long)?, optional(row, 6, DB::id)?);
    let witness = |(position, event_id)| Witness { position: Position::stored(position), event_id };
    Ok(position.zip(event_id).map(witness))
}

fn failing<'r, DB: Columns>(row: &impl Row<'r, DB>) -> deserialize::Result<Option<Failing>> {
    let (since, now) = (optional(row, 15, DB::long)?, value(row, 14, DB::long)?);
    let lasts = |since: i64| Duration::from_millis(u64::try_from(now - since).unwrap_or(0));
    let failing =
        |since| Some(Failing { since: DateTime::from_timestamp_millis(since)?, lasts: lasts(since) });
    Ok(since.and_then(failing))
}

fn barrier<'r, DB: Columns>(row: &impl Row<'r, DB>) -> deserialize::Result<Option<Barrier>> {
    let (position, next_count) = (optional(row, 12, DB::long)?, optional(row, 13, DB::integer)?);
    let barrier = |(position, next_count)| Barrier { position: Position::stored(position), next_count };
    Ok(position.zip(next_count).map(barrier))
}

statement! {
    for every database;
    SelectPartitions<'a> { name: &'a str => bind_text, version: i32 => bind_integer } -> PartitionColumns,
    select_partitions!("WHERE projection_name = ? AND projection_version = ? ORDER BY partition_number{all}")
}

statement! {
    for every database;
    SelectPartition<'a> {
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        number: i32 => bind_integer,
    } -> PartitionColumns,
    select_partitions!("WHERE projection_name = ? AND projection_version = ? AND partition_number = ?")
}

statement! {
    for every database;
    SelectEveryPartition -> PartitionColumns,
    select_partitions!("ORDER BY projection_name, projection_version, partition_number{all}")
}

statement! {
    for every database;
    CreatePartition<'a> {
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        number: i32 => bind_integer,
        count: i32 => bind_integer,
        position: i64 => bind_long,
        last_event_position: Option<i64> => bind_optional_long,
        last_event_id: Option<Uuid> => bind_optional_id,
        token: i64 => bind_long,
        now: DateTime<Utc> => bind_time,
    },
    "INSERT INTO projection_checkpoints (projection_name, projection_version, partition_number, \
     partition_count, last_global_position, last_event_position, last_event_id, fencing_token, updated_at) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) {or_nothing}"
}

statement! {
    for every database;
    DeletePartitions<'a> { name: &'a str => bind_text, version: i32 => bind_integer },
    "DELETE FROM projection_checkpoints WHERE projection_name = ? AND projection_version = ?"
}

statement! {
    for every database;
    ClaimPartition<'a> {
        owner: &'a str => bind_text,
        lease: i64 => bind_long,
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        number: i32 => bind_integer,
    },
    "UPDATE projection_checkpoints SET owner = ?, fencing_token = fencing_token + 1, \
     leased_until = {now} + ? \
     WHERE projection_name = ? AND projection_version = ? AND partition_number = ? \
     AND state = 'active' AND (leased_until IS NULL OR leased_until <= {now})"
}

statement! {
    for every database;
    RenewLease<'a> {
        lease: i64 => bind_long,
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        number: i32 => bind_integer,
        token: i64 => bind_long,
    },
    "UPDATE projection_checkpoints SET leased_until = {now} + ? \
     WHERE projection_name = ? AND projection_version = ? AND partition_number = ? AND fencing_token = ? \
     AND state = 'active'"
}

statement! {
    for every database;
    ReleaseLease<'a> {
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        number: i32 => bind_integer,
        token: i64 => bind_long,
    },
    "UPDATE projection_checkpoints SET owner = NULL, leased_until = NULL \
     WHERE projection_name = ? AND projection_version = ? AND partition_number = ? AND fencing_token = ?"
}

statement! {
    for every database;
    AdvanceCheckpoint<'a> {
        position: i64 => bind_long,
        last_event_position: Option<i64> => bind_optional_long,
        last_event_id: Option<Uuid> => bind_optional_id,
        updated_at: DateTime<Utc> => bind_time,
        lease: i64 => bind_long,
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        number: i32 => bind_integer,
        token: i64 => bind_long,
        from: i64 => bind_long,
        highest: i64 => bind_long,
    },
    "UPDATE projection_checkpoints SET last_global_position = ?, \
     last_event_position = coalesce(?, last_event_position), \
     last_event_id = coalesce(?, last_event_id), updated_at = ?, leased_until = {now} + ? \
     WHERE projection_name = ? AND projection_version = ? AND partition_number = ? AND fencing_token = ? \
     AND last_global_position = ? AND state = 'active' \
     AND (barrier_position IS NULL OR barrier_position >= ?)"
}

statement! {
    for every database;
    NoteFailure<'a> {
        error: &'a str => bind_text,
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        number: i32 => bind_integer,
        token: i64 => bind_long,
    },
    "UPDATE projection_checkpoints SET last_error = ?, failing_since = coalesce(failing_since, {now}) \
     WHERE projection_name = ? AND projection_version = ? AND partition_number = ? AND fencing_token = ? \
     AND state = 'active'"
}

statement! {
    for every database;
    ForgetFailure<'a> {
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        number: i32 => bind_integer,
        token: i64 => bind_long,
    },
    "UPDATE projection_checkpoints SET last_error = NULL, failing_since = NULL \
     WHERE projection_name = ? AND projection_version = ? AND partition_number = ? AND fencing_token = ? \
     AND state = 'active'"
}

statement! {
    for every database;
    FailPartition<'a> {
        error: &'a str => bind_text,
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        number: i32 => bind_integer,
        token: i64 => bind_long,
    },
    "UPDATE projection_checkpoints SET state = 'failed', last_error = ?, \
     failing_since = coalesce(failing_since, {now}), owner = NULL, leased_until = NULL \
     WHERE projection_name = ? AND projection_version = ? AND partition_number = ? AND fencing_token = ?"
}

statement! {
    for every database;
    ResumePartitions<'a> { name: &'a str => bind_text, version: i32 => bind_integer },
    "UPDATE projection_checkpoints SET state = 'active', last_error = NULL, failing_since = NULL \
     WHERE projection_name = ? AND projection_version = ? AND state = 'failed'"
}

statement! {
    for every database;
    RewindPartitions<'a> {
        position: i64 => bind_long,
        updated_at: DateTime<Utc> => bind_time,
        name: &'a str => bind_text,
        version: i32 => bind_integer,
    },
    "UPDATE projection_checkpoints SET last_global_position = ?, last_event_position = NULL, \
     last_event_id = NULL, updated_at = ? WHERE projection_name = ? AND projection_version = ?"
}

statement! {
    for every database;
    ResetPartitions<'a> {
        position: i64 => bind_long,
        updated_at: DateTime<Utc> => bind_time,
        name: &'a str => bind_text,
        version: i32 => bind_integer,
    },
    "UPDATE projection_checkpoints SET last_global_position = ?, last_event_position = NULL, \
     last_event_id = NULL, updated_at = ?, state = 'active', last_error = NULL, failing_since = NULL, \
     owner = NULL, leased_until = NULL, \
     fencing_token = fencing_token + 1, barrier_position = NULL, next_partition_count = NULL \
     WHERE projection_name = ? AND projection_version = ?"
}

statement! {
    for every database;
    RetirePartitions<'a> { name: &'a str => bind_text, version: i32 => bind_integer },
    "UPDATE projection_checkpoints SET state = 'retired', owner = NULL, leased_until = NULL, \
     fencing_token = fencing_token + 1 WHERE projection_name = ? AND projection_version = ?"
}

statement! {
    for every database;
    RaiseBarrier<'a> {
        barrier: i64 => bind_long,
        next_count: i32 => bind_integer,
        name: &'a str => bind_text,
        version: i32 => bind_integer,
    },
    "UPDATE projection_checkpoints SET barrier_position = ?, next_partition_count = ? \
     WHERE projection_name = ? AND projection_version = ?"
}

statement! {
    for every database;
    LiftBarrier<'a> {
        barrier: i64 => bind_long,
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        below: i64 => bind_long,
    },
    "UPDATE projection_checkpoints SET barrier_position = ? \
     WHERE projection_name = ? AND projection_version = ? AND barrier_position < ?"
}

statement! {
    for every database;
    LockAtBarrier<'a> {
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        barrier: i64 => bind_long,
        position: i64 => bind_long,
    },
    "UPDATE projection_checkpoints SET fencing_token = fencing_token + 1 \
     WHERE projection_name = ? AND projection_version = ? AND barrier_position = ? \
     AND last_global_position = ? AND state = 'active'"
}

impl<L> Partitions for L
where
    L: Lent,
    BackendOf<L>: Dialect + QueryMetadata<PartitionColumns>,
{
    async fn partitions(&mut self, projection: &ProjectionId) -> QueryResult<Vec<Partition>> {
        let (name, version) = (&*projection.name, projection.version);
        self.connection().load(SelectPartitions { name, version }, Stored::default()).await
    }

    async fn partition(&mut self, partition: &PartitionKey) -> QueryResult<Option<Partition>> {
        let PartitionKey { projection: ProjectionId { name, version }, number } = partition;
        let select = SelectPartition { name, version: *version, number: *number };
        Ok(self.connection().load(select, Stored::default()).await?.pop())
    }

    async fn every_partition(&mut self) -> QueryResult<Vec<Partition>> {
        self.connection().load(SelectEveryPartition, Stored::default()).await
    }

    async fn create_partition(&mut self, partition: &NewPartition) -> QueryResult<()> {
        let PartitionKey { projection: ProjectionId { name, version }, number } = &partition.key;
        let create = CreatePartition {
            name,
            version: *version,
            number: *number,
            count: partition.count,
            position: partition.position.get(),
            last_event_position: partition.witness.map(|witness| witness.position.get()),
            last_event_id: partition.witness.map(|witness| witness.event_id),
            token: partition.token,
            now: partition.now,
        };
        self.connection().execute(create).await.map(drop)
    }

    async fn delete_partitions(&mut self, projection: &ProjectionId) -> QueryResult<usize> {
        let (name, version) = (&*projection.name, projection.version);
        self.connection().execute(DeletePartitions { name, version }).await
    }

    async fn claim(&mut self, partition: &PartitionKey, owner: &str, lease: Duration) -> QueryResult<bool> {
        let PartitionKey { projection: ProjectionId { name, version }, number } = partition;
        let lease = millis(lease);
        let claim = ClaimPartition { owner, lease, name, version: *version, number: *number };
        Ok(self.connection().execute(claim).await? > 0)
    }

    async fn renew(&mut self, claim: &Claim) -> QueryResult<bool> {
        let PartitionKey { projection: ProjectionId { name, version }, number } = &claim.partition;
        let lease = millis(claim.lease);
        let renew = RenewLease { lease, name, version: *version, number: *number, token: claim.token };
        Ok(self.connection().execute(renew).await? > 0)
    }

    async fn release(&mut self, claim: &Claim) -> QueryResult<bool> {
        let PartitionKey { projection: ProjectionId { name, version }, number } = &claim.partition;
        let release = ReleaseLease { name, version: *version, number: *number, token: claim.token };
        Ok(self.connection().execute(release).await? > 0)
    }

    async fn advance(&mut self, claim: &Claim, step: &Step) -> QueryResult<bool> {
        let PartitionKey { projection: ProjectionId { name, version }, number } = &claim.partition;
        let advance = AdvanceCheckpoint {
            position: step.to.get(),
            last_event_position: step.witness.map(|witness| witness.position.get()),
            last_event_id: step.witness.map(|witness| witness.event_id),
            updated_at: step.now,
            lease: millis(claim.lease),
            name,
            version: *version,
            number: *number,
            token: claim.token,
            from: claim.position.get(),
            highest: step.to.get(),
        };
        Ok(self.connection().execute(advance).await? > 0)
    }

    async fn note_failure(&mut self, claim: &Claim, error: &str) -> QueryResult<bool> {
        let PartitionKey { projection: ProjectionId { name, version }, number } = &claim.partition;
        let note = NoteFailure { error, name, version: *version, number: *number, token: claim.token };
        Ok(self.connection().execute(note).await? > 0)
    }

    async fn forget_failure(&mut self, claim: &Claim) -> QueryResult<bool> {
        let PartitionKey { projection: ProjectionId { name, version }, number } = &claim.partition;
        let forget = ForgetFailure { name, version: *version, number: *number, token: claim.token };
        Ok(self.connection().execute(forget).await? > 0)
    }

    async fn fail(&mut self, claim: &Claim, error: &str) -> QueryResult<bool> {
        let PartitionKey { projection: ProjectionId { name, version }, number } = &claim.partition;
        let fail = FailPartition { error, name, version: *version, number: *number, token: claim.token };
        Ok(self.connection().execute(fail).await? > 0)
    }

    async fn resume(&mut self, projection: &ProjectionId) -> QueryResult<usize> {
        let (name, version) = (&*projection.name, projection.version);
        self.connection().execute(ResumePartitions { name, version }).await
    }

    async fn rewind(
        &mut self,
        projection: &ProjectionId,
        position: Position,
        now: DateTime<Utc>,
    ) -> QueryResult<usize> {
        let (name, version, position) = (&*projection.name, projection.version, position.get());
        self.connection().execute(RewindPartitions { position, updated_at: now, name, version }).await
    }

    async fn reset(
        &mut self,
        projection: &ProjectionId,
        position: Position,
        now: DateTime<Utc>,
    ) -> QueryResult<usize> {
        let (name, version, position) = (&*projection.name, projection.version, position.get());
        self.connection().execute(ResetPartitions { position, updated_at: now, name, version }).await
    }

    async fn retire(&mut self, projection: &ProjectionId) -> QueryResult<usize> {
        let (name, version) = (&*projection.name, projection.version);
        self.connection().execute(RetirePartitions { name, version }).await
    }

    async fn raise_barrier(
        &mut self,
        projection: &ProjectionId,
        barrier: Position,
        next_count: i32,
    ) -> QueryResult<usize> {
        let (name, version, barrier) = (&*projection.name, projection.version, barrier.get());
        self.connection().execute(RaiseBarrier { barrier, next_count, name, version }).await
    }

    async fn lift_barrier(&mut self, projection: &ProjectionId, barrier: Position) -> QueryResult<usize> {
        let (name, version, barrier) = (&*projection.name, projection.version, barrier.get());
        self.connection().execute(LiftBarrier { barrier, name, version, below: barrier }).await
    }

    async fn lock_at_barrier(&mut self, projection: &ProjectionId, barrier: Position) -> QueryResult<usize> {
        let (name, version, barrier) = (&*projection.name, projection.version, barrier.get());
        self.connection().execute(LockAtBarrier { name, version, barrier, position: barrier }).await
    }
}
