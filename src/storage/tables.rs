//! What the runner and the operations need of the tables `projection_checkpoints`, `projection_workers` and `parked_events`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::result::QueryResult;
use uuid::Uuid;

use crate::model::parked::{ParkedEvent, Request};
use crate::model::partition::{Claim, Partition, PartitionKey};
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;

/// A row that is to be.
pub(crate) struct NewPartition<'a> {
    pub(crate) key: &'a PartitionKey,
    pub(crate) count: i32,
    pub(crate) position: Position,
    pub(crate) last_event_id: Option<Uuid>,
    pub(crate) token: i64,
    pub(crate) now: DateTime<Utc>,
}

/// Where a checkpoint is moved.
pub(crate) struct Step {
    pub(crate) to: Position,
    /// The last event that was applied on the way.
    pub(crate) last_event_id: Option<Uuid>,
    pub(crate) now: DateTime<Utc>,
}

/// Every operation is one statement, except where it says so. `bool` tells whether the row was there, as it was expected.
pub(crate) trait ProjectionTables {
    /// Of one version of a projection, in the order of their numbers.
    fn partitions(&mut self, projection: &ProjectionId) -> QueryResult<Vec<Partition>>;

    /// A single one.
    fn partition(&mut self, partition: &PartitionKey) -> QueryResult<Option<Partition>>;

    /// Of all projections, in the order of their names and versions.
    fn every_partition(&mut self) -> QueryResult<Vec<Partition>>;

    /// Creates it, unless it is there.
    fn create_partition(&mut self, partition: &NewPartition<'_>) -> QueryResult<()>;

    fn delete_partitions(&mut self, projection: &ProjectionId) -> QueryResult<()>;

    /// Takes the partition, if it is active and nobody's, or its owner's lease has run out.
    fn claim(&mut self, partition: &PartitionKey, owner: &str, lease: Duration) -> QueryResult<bool>;

    fn renew(&mut self, claim: &Claim) -> QueryResult<bool>;

    fn release(&mut self, claim: &Claim) -> QueryResult<bool>;

    /// Moves the checkpoint, if the claim holds and no barrier is in the way.
    fn advance(&mut self, claim: &Claim, step: &Step) -> QueryResult<bool>;

    /// Nobody goes on with the partition until it is resumed.
    fn fail(&mut self, claim: &Claim, error: &str) -> QueryResult<bool>;

    /// Lets failed partitions be claimed again.
    fn resume(&mut self, projection: &ProjectionId) -> QueryResult<usize>;

    /// Puts all partitions at a position, active and without an owner.
    fn reset(
        &mut self,
        projection: &ProjectionId,
        position: Position,
        now: DateTime<Utc>,
    ) -> QueryResult<usize>;

    fn retire(&mut self, projection: &ProjectionId) -> QueryResult<usize>;

    /// Nothing above the barrier is applied until the number of partitions has been changed.
    fn raise_barrier(
        &mut self,
        projection: &ProjectionId,
        barrier: Position,
        next_count: i32,
    ) -> QueryResult<usize>;

    /// Takes the partitions that have arrived there from whoever has them, and returns how many there are. None of a retired
    /// version.
    fn lock_at_barrier(&mut self, projection: &ProjectionId, barrier: Position) -> QueryResult<usize>;

    /// Says that the worker is there for as long as a lease. Two statements the first time.
    fn report_worker(&mut self, projection: &ProjectionId, worker: &str, lease: Duration) -> QueryResult<()>;

    /// Those that are there, sorted.
    fn workers(&mut self, projection: &ProjectionId) -> QueryResult<Vec<String>>;

    /// Forgets this worker, and those that were not seen for long.
    fn forget_worker(&mut self, projection: &ProjectionId, worker: &str) -> QueryResult<()>;

    fn park(&mut self, projection: &ProjectionId, parked: &ParkedEvent) -> QueryResult<()>;

    /// In the order of their positions.
    fn parked(&mut self, projection: &ProjectionId) -> QueryResult<Vec<ParkedEvent>>;

    fn count_parked(&mut self, projection: &ProjectionId) -> QueryResult<i64>;

    /// Whether something is asked for with any of them.
    fn has_requests(&mut self, projection: &ProjectionId) -> QueryResult<bool>;

    fn request(
        &mut self,
        projection: &ProjectionId,
        position: Position,
        request: Request,
    ) -> QueryResult<bool>;

    /// Records one more attempt that has failed.
    fn repark(&mut self, projection: &ProjectionId, parked: &ParkedEvent) -> QueryResult<bool>;

    fn unpark(&mut self, projection: &ProjectionId, position: Position) -> QueryResult<bool>;

    fn unpark_all(&mut self, projection: &ProjectionId) -> QueryResult<usize>;
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

/// Implements `ProjectionTables` for a connection. The statements are the same on every database but for these fragments:
/// `now`, the database's clock in milliseconds since 1970; `or_nothing`, what makes an insert of a key that is there do
/// nothing; `as_id` and `…_as_text`, the conversions of ids. `time` says as what a time is bound, how it is made so, and as what it is read.
macro_rules! projection_tables {
    (
        for $connection:ty;
        now: $now:literal;
        or_nothing: $or_nothing:literal;
        as_id: $as_id:literal;
        last_event_id_as_text: $last_event_id_as_text:literal;
        event_id_as_text: $event_id_as_text:literal;
        time: $time:ty as $sql_time:ty, $to_time:path, $read_time:ty;
    ) => {
        use std::time::Duration;

        use chrono::{DateTime, Utc};
        use diesel::result::QueryResult;
        use diesel::{OptionalExtension, RunQueryDsl};
        use diesel::sql_types::{BigInt, Integer, Nullable, Text};

        use $crate::model::position::Position;
        use $crate::model::parked::{ParkedEvent, ParkedRow, Request};
        use $crate::model::partition::{Claim, Partition, PartitionKey, PartitionRow};
use $crate::model::projection_id::ProjectionId;
        use $crate::storage::tables::{NewPartition, ProjectionTables, Step, millis};
        use $crate::storage::sql::statement::statement;

        type PartitionColumns = (
            Text,
            Integer,
            Integer,
            Integer,
            BigInt,
            Nullable<Text>,
            $sql_time,
            Text,
            Nullable<Text>,
            Nullable<Text>,
            Nullable<BigInt>,
            BigInt,
            Nullable<BigInt>,
            Nullable<Integer>,
            BigInt,
        );

        statement! {
            for $connection;
            SelectPartitions<'a> { name: &'a str => Text, version: i32 => Integer } -> PartitionColumns,
            concat!(
                "SELECT projection_name, projection_version, partition_number, partition_count, last_global_position, ",
                $last_event_id_as_text, ", updated_at, state, last_error, owner, leased_until, fencing_token, barrier_position, \
                 next_partition_count, ", $now, " FROM projection_checkpoints \
                 WHERE projection_name = ? AND projection_version = ? ORDER BY partition_number"
            )
        }

        statement! {
            for $connection;
            SelectPartition<'a> { name: &'a str => Text, version: i32 => Integer, number: i32 => Integer } -> PartitionColumns,
            concat!(
                "SELECT projection_name, projection_version, partition_number, partition_count, last_global_position, ",
                $last_event_id_as_text, ", updated_at, state, last_error, owner, leased_until, fencing_token, barrier_position, \
                 next_partition_count, ", $now, " FROM projection_checkpoints \
                 WHERE projection_name = ? AND projection_version = ? AND partition_number = ?"
            )
        }

        statement! {
            for $connection;
            SelectEveryPartition -> PartitionColumns,
            concat!(
                "SELECT projection_name, projection_version, partition_number, partition_count, last_global_position, ",
                $last_event_id_as_text, ", updated_at, state, last_error, owner, leased_until, fencing_token, barrier_position, \
                 next_partition_count, ", $now, " FROM projection_checkpoints \
                 ORDER BY projection_name, projection_version, partition_number"
            )
        }

        statement! {
            for $connection;
            CreatePartition<'a> {
                name: &'a str => Text,
                version: i32 => Integer,
                number: i32 => Integer,
                count: i32 => Integer,
                position: i64 => BigInt,
                last_event_id: Option<String> => Nullable<Text>,
                token: i64 => BigInt,
                now: $time => $sql_time,
            },
            concat!(
                "INSERT INTO projection_checkpoints (projection_name, projection_version, partition_number, \
                 partition_count, last_global_position, last_event_id, fencing_token, updated_at) \
                 VALUES (?, ?, ?, ?, ?, ", $as_id, ", ?, ?) ",
                $or_nothing
            )
        }

        statement! {
            for $connection;
            DeletePartitions<'a> { name: &'a str => Text, version: i32 => Integer },
            "DELETE FROM projection_checkpoints WHERE projection_name = ? AND projection_version = ?"
        }

        statement! {
            for $connection;
            ClaimPartition<'a> {
                owner: &'a str => Text,
                lease: i64 => BigInt,
                name: &'a str => Text,
                version: i32 => Integer,
                number: i32 => Integer,
            },
            concat!(
                "UPDATE projection_checkpoints SET owner = ?, fencing_token = fencing_token + 1, leased_until = ",
                $now, " + ? WHERE projection_name = ? AND projection_version = ? AND partition_number = ? \
                 AND state = 'active' AND (leased_until IS NULL OR leased_until <= ", $now, ")"
            )
        }

        statement! {
            for $connection;
            RenewLease<'a> {
                lease: i64 => BigInt,
                name: &'a str => Text,
                version: i32 => Integer,
                number: i32 => Integer,
                token: i64 => BigInt,
            },
            concat!(
                "UPDATE projection_checkpoints SET leased_until = ", $now, " + ? \
                 WHERE projection_name = ? AND projection_version = ? AND partition_number = ? AND fencing_token = ? \
                 AND state = 'active'"
            )
        }

        statement! {
            for $connection;
            ReleaseLease<'a> {
                name: &'a str => Text,
                version: i32 => Integer,
                number: i32 => Integer,
                token: i64 => BigInt,
            },
            "UPDATE projection_checkpoints SET owner = NULL, leased_until = NULL \
             WHERE projection_name = ? AND projection_version = ? AND partition_number = ? AND fencing_token = ?"
        }

        statement! {
            for $connection;
            AdvanceCheckpoint<'a> {
                position: i64 => BigInt,
                last_event_id: Option<String> => Nullable<Text>,
                updated_at: $time => $sql_time,
                lease: i64 => BigInt,
                name: &'a str => Text,
                version: i32 => Integer,
                number: i32 => Integer,
                token: i64 => BigInt,
                from: i64 => BigInt,
                highest: i64 => BigInt,
            },
            concat!(
                "UPDATE projection_checkpoints SET last_global_position = ?, last_event_id = coalesce(", $as_id,
                ", last_event_id), updated_at = ?, leased_until = ", $now, " + ? \
                 WHERE projection_name = ? AND projection_version = ? AND partition_number = ? AND fencing_token = ? \
                 AND last_global_position = ? AND state = 'active' \
                 AND (barrier_position IS NULL OR barrier_position >= ?)"
            )
        }

        statement! {
            for $connection;
            FailPartition<'a> {
                error: &'a str => Text,
                name: &'a str => Text,
                version: i32 => Integer,
                number: i32 => Integer,
                token: i64 => BigInt,
            },
            "UPDATE projection_checkpoints SET state = 'failed', last_error = ?, owner = NULL, leased_until = NULL \
             WHERE projection_name = ? AND projection_version = ? AND partition_number = ? AND fencing_token = ?"
        }

        statement! {
            for $connection;
            ResumePartitions<'a> { name: &'a str => Text, version: i32 => Integer },
            "UPDATE projection_checkpoints SET state = 'active', last_error = NULL \
             WHERE projection_name = ? AND projection_version = ? AND state = 'failed'"
        }

        statement! {
            for $connection;
            ResetPartitions<'a> {
                position: i64 => BigInt,
                updated_at: $time => $sql_time,
                name: &'a str => Text,
                version: i32 => Integer,
            },
            "UPDATE projection_checkpoints SET last_global_position = ?, last_event_id = NULL, updated_at = ?, \
             state = 'active', last_error = NULL, owner = NULL, leased_until = NULL, \
             fencing_token = fencing_token + 1, barrier_position = NULL, next_partition_count = NULL \
             WHERE projection_name = ? AND projection_version = ?"
        }

        statement! {
            for $connection;
            RetirePartitions<'a> { name: &'a str => Text, version: i32 => Integer },
            "UPDATE projection_checkpoints SET state = 'retired', owner = NULL, leased_until = NULL, \
             fencing_token = fencing_token + 1 WHERE projection_name = ? AND projection_version = ?"
        }

        statement! {
            for $connection;
            RaiseBarrier<'a> {
                barrier: i64 => BigInt,
                next_count: i32 => Integer,
                name: &'a str => Text,
                version: i32 => Integer,
            },
            "UPDATE projection_checkpoints SET barrier_position = ?, next_partition_count = ? \
             WHERE projection_name = ? AND projection_version = ?"
        }

        statement! {
            for $connection;
            LockAtBarrier<'a> {
                name: &'a str => Text,
                version: i32 => Integer,
                barrier: i64 => BigInt,
                position: i64 => BigInt,
            },
            "UPDATE projection_checkpoints SET fencing_token = fencing_token + 1 \
             WHERE projection_name = ? AND projection_version = ? AND barrier_position = ? AND last_global_position = ? \
             AND state <> 'retired'"
        }

        statement! {
            for $connection;
            SeeWorker<'a> {
                lease: i64 => BigInt,
                name: &'a str => Text,
                version: i32 => Integer,
                worker: &'a str => Text,
            },
            concat!(
                "UPDATE projection_workers SET seen_until = ", $now, " + ? \
                 WHERE projection_name = ? AND projection_version = ? AND worker = ?"
            )
        }

        statement! {
            for $connection;
            AddWorker<'a> {
                name: &'a str => Text,
                version: i32 => Integer,
                worker: &'a str => Text,
                lease: i64 => BigInt,
            },
            concat!(
                "INSERT INTO projection_workers (projection_name, projection_version, worker, seen_until) \
                 VALUES (?, ?, ?, ", $now, " + ?)"
            )
        }

        statement! {
            for $connection;
            SelectWorkers<'a> { name: &'a str => Text, version: i32 => Integer } -> Text,
            concat!(
                "SELECT worker FROM projection_workers WHERE projection_name = ? AND projection_version = ? \
                 AND seen_until > ", $now, " ORDER BY worker"
            )
        }

        statement! {
            for $connection;
            ForgetWorkers<'a> { name: &'a str => Text, version: i32 => Integer, worker: &'a str => Text },
            concat!(
                "DELETE FROM projection_workers WHERE projection_name = ? AND projection_version = ? \
                 AND (worker = ? OR seen_until < ", $now, " - 3600000)"
            )
        }

        statement! {
            for $connection;
            Park<'a> {
                name: &'a str => Text,
                version: i32 => Integer,
                position: i64 => BigInt,
                event_id: String => Text,
                aggregate_type: &'a str => Text,
                aggregate_id: &'a str => Text,
                reason: &'a str => Text,
                error: &'a str => Text,
                attempts: i32 => Integer,
                parked_at: $time => $sql_time,
            },
            concat!(
                "INSERT INTO parked_events (projection_name, projection_version, global_position, event_id, \
                 aggregate_type, aggregate_id, reason, error, attempts, parked_at) VALUES (?, ?, ?, ", $as_id,
                ", ?, ?, ?, ?, ?, ?)"
            )
        }

        statement! {
            for $connection;
            SelectParked<'a> { name: &'a str => Text, version: i32 => Integer }
                -> (BigInt, Text, Text, Text, Text, Text, Integer, $sql_time, Nullable<Text>),
            concat!(
                "SELECT global_position, ", $event_id_as_text, ", aggregate_type, aggregate_id, reason, error, attempts, \
                 parked_at, requested FROM parked_events \
                 WHERE projection_name = ? AND projection_version = ? ORDER BY global_position"
            )
        }

        statement! {
            for $connection;
            CountParked<'a> { name: &'a str => Text, version: i32 => Integer } -> BigInt,
            "SELECT count(*) FROM parked_events WHERE projection_name = ? AND projection_version = ?"
        }

        statement! {
            for $connection;
            CountRequests<'a> { name: &'a str => Text, version: i32 => Integer } -> BigInt,
            "SELECT count(*) FROM parked_events \
             WHERE projection_name = ? AND projection_version = ? AND requested IS NOT NULL"
        }

        statement! {
            for $connection;
            RequestOfParked<'a> {
                request: &'a str => Text,
                name: &'a str => Text,
                version: i32 => Integer,
                position: i64 => BigInt,
            },
            "UPDATE parked_events SET requested = ? \
             WHERE projection_name = ? AND projection_version = ? AND global_position = ?"
        }

        statement! {
            for $connection;
            Repark<'a> {
                reason: &'a str => Text,
                error: &'a str => Text,
                attempts: i32 => Integer,
                name: &'a str => Text,
                version: i32 => Integer,
                position: i64 => BigInt,
            },
            "UPDATE parked_events SET reason = ?, error = ?, attempts = ?, requested = NULL \
             WHERE projection_name = ? AND projection_version = ? AND global_position = ?"
        }

        statement! {
            for $connection;
            Unpark<'a> { name: &'a str => Text, version: i32 => Integer, position: i64 => BigInt },
            "DELETE FROM parked_events WHERE projection_name = ? AND projection_version = ? AND global_position = ?"
        }

        statement! {
            for $connection;
            UnparkAll<'a> { name: &'a str => Text, version: i32 => Integer },
            "DELETE FROM parked_events WHERE projection_name = ? AND projection_version = ?"
        }

        impl ProjectionTables for $connection {
            fn partitions(&mut self, projection: &ProjectionId) -> QueryResult<Vec<Partition>> {
                let rows: Vec<PartitionRow<$read_time>> =
                    SelectPartitions { name: &projection.name, version: projection.version }.load(self)?;
                rows.into_iter().map(Partition::stored).collect()
            }

            fn partition(&mut self, partition: &PartitionKey) -> QueryResult<Option<Partition>> {
                let PartitionKey { projection: ProjectionId { name, version }, number } = partition;
                let row: Option<PartitionRow<$read_time>> =
                    SelectPartition { name, version: *version, number: *number }.get_result(self).optional()?;
                row.map(Partition::stored).transpose()
            }

            fn every_partition(&mut self) -> QueryResult<Vec<Partition>> {
                let rows: Vec<PartitionRow<$read_time>> = SelectEveryPartition.load(self)?;
                rows.into_iter().map(Partition::stored).collect()
            }

            fn create_partition(&mut self, partition: &NewPartition<'_>) -> QueryResult<()> {
                let PartitionKey { projection: ProjectionId { name, version }, number } = partition.key;
                CreatePartition {
                    name,
                    version: *version,
                    number: *number,
                    count: partition.count,
                    position: partition.position.get(),
                    last_event_id: partition.last_event_id.map(|id| id.to_string()),
                    token: partition.token,
                    now: $to_time(partition.now),
                }
                .execute(self)
                .map(drop)
            }

            fn delete_partitions(&mut self, projection: &ProjectionId) -> QueryResult<()> {
                DeletePartitions { name: &projection.name, version: projection.version }.execute(self).map(drop)
            }

            fn claim(&mut self, partition: &PartitionKey, owner: &str, lease: Duration) -> QueryResult<bool> {
                let PartitionKey { projection: ProjectionId { name, version }, number } = partition;
                let lease = millis(lease);
                let claimed = ClaimPartition { owner, lease, name, version: *version, number: *number }.execute(self)?;
                Ok(claimed > 0)
            }

            fn renew(&mut self, claim: &Claim) -> QueryResult<bool> {
                let PartitionKey { projection: ProjectionId { name, version }, number } = &claim.partition;
                let lease = millis(claim.lease);
                let renewed = RenewLease { lease, name, version: *version, number: *number, token: claim.token }
                    .execute(self)?;
                Ok(renewed > 0)
            }

            fn release(&mut self, claim: &Claim) -> QueryResult<bool> {
                let PartitionKey { projection: ProjectionId { name, version }, number } = &claim.partition;
                let released =
                    ReleaseLease { name, version: *version, number: *number, token: claim.token }.execute(self)?;
                Ok(released > 0)
            }

            fn advance(&mut self, claim: &Claim, step: &Step) -> QueryResult<bool> {
                let PartitionKey { projection: ProjectionId { name, version }, number } = &claim.partition;
                let advanced = AdvanceCheckpoint {
                    position: step.to.get(),
                    last_event_id: step.last_event_id.map(|id| id.to_string()),
                    updated_at: $to_time(step.now),
                    lease: millis(claim.lease),
                    name,
                    version: *version,
                    number: *number,
                    token: claim.token,
                    from: claim.position.get(),
                    highest: step.to.get(),
                }
                .execute(self)?;
                Ok(advanced > 0)
            }

            fn fail(&mut self, claim: &Claim, error: &str) -> QueryResult<bool> {
                let PartitionKey { projection: ProjectionId { name, version }, number } = &claim.partition;
                let failed = FailPartition { error, name, version: *version, number: *number, token: claim.token }
                    .execute(self)?;
                Ok(failed > 0)
            }

            fn resume(&mut self, projection: &ProjectionId) -> QueryResult<usize> {
                ResumePartitions { name: &projection.name, version: projection.version }.execute(self)
            }

            fn reset(
                &mut self,
                projection: &ProjectionId,
                position: Position,
                now: DateTime<Utc>,
            ) -> QueryResult<usize> {
                let (name, version) = (&*projection.name, projection.version);
                ResetPartitions { position: position.get(), updated_at: $to_time(now), name, version }.execute(self)
            }

            fn retire(&mut self, projection: &ProjectionId) -> QueryResult<usize> {
                RetirePartitions { name: &projection.name, version: projection.version }.execute(self)
            }

            fn raise_barrier(
                &mut self,
                projection: &ProjectionId,
                barrier: Position,
                next_count: i32,
            ) -> QueryResult<usize> {
                let (name, version) = (&*projection.name, projection.version);
                RaiseBarrier { barrier: barrier.get(), next_count, name, version }.execute(self)
            }

            fn lock_at_barrier(&mut self, projection: &ProjectionId, barrier: Position) -> QueryResult<usize> {
                let (name, version, barrier) = (&*projection.name, projection.version, barrier.get());
                LockAtBarrier { name, version, barrier, position: barrier }.execute(self)
            }

            fn report_worker(
                &mut self,
                projection: &ProjectionId,
                worker: &str,
                lease: Duration,
            ) -> QueryResult<()> {
                let (name, version, lease) = (&*projection.name, projection.version, millis(lease));
                let seen = SeeWorker { lease, name, version, worker }.execute(self)?;
                if seen == 0 {
                    AddWorker { name, version, worker, lease }.execute(self)?;
                }
                Ok(())
            }

            fn workers(&mut self, projection: &ProjectionId) -> QueryResult<Vec<String>> {
                SelectWorkers { name: &projection.name, version: projection.version }.load(self)
            }

            fn forget_worker(&mut self, projection: &ProjectionId, worker: &str) -> QueryResult<()> {
                ForgetWorkers { name: &projection.name, version: projection.version, worker }
                    .execute(self)
                    .map(drop)
            }

            fn park(&mut self, projection: &ProjectionId, parked: &ParkedEvent) -> QueryResult<()> {
                Park {
                    name: &projection.name,
                    version: projection.version,
                    position: parked.position.get(),
                    event_id: parked.event_id.to_string(),
                    aggregate_type: parked.stream.aggregate_type(),
                    aggregate_id: parked.stream.aggregate_id(),
                    reason: parked.reason.as_str(),
                    error: &parked.error,
                    attempts: parked.attempts,
                    parked_at: $to_time(parked.parked_at),
                }
                .execute(self)
                .map(drop)
            }

            fn parked(&mut self, projection: &ProjectionId) -> QueryResult<Vec<ParkedEvent>> {
                let rows: Vec<ParkedRow<$read_time>> =
                    SelectParked { name: &projection.name, version: projection.version }.load(self)?;
                rows.into_iter().map(ParkedEvent::stored).collect()
            }

            fn count_parked(&mut self, projection: &ProjectionId) -> QueryResult<i64> {
                CountParked { name: &projection.name, version: projection.version }.get_result(self)
            }

            fn has_requests(&mut self, projection: &ProjectionId) -> QueryResult<bool> {
                let requests: i64 =
                    CountRequests { name: &projection.name, version: projection.version }.get_result(self)?;
                Ok(requests > 0)
            }

            fn request(
                &mut self,
                projection: &ProjectionId,
                position: Position,
                request: Request,
            ) -> QueryResult<bool> {
                let (name, version, position) = (&*projection.name, projection.version, position.get());
                let found = RequestOfParked { request: request.as_str(), name, version, position }.execute(self)?;
                Ok(found > 0)
            }

            fn repark(&mut self, projection: &ProjectionId, parked: &ParkedEvent) -> QueryResult<bool> {
                let found = Repark {
                    reason: parked.reason.as_str(),
                    error: &parked.error,
                    attempts: parked.attempts,
                    name: &projection.name,
                    version: projection.version,
                    position: parked.position.get(),
                }
                .execute(self)?;
                Ok(found > 0)
            }

            fn unpark(&mut self, projection: &ProjectionId, position: Position) -> QueryResult<bool> {
                let (name, version, position) = (&*projection.name, projection.version, position.get());
                Ok(Unpark { name, version, position }.execute(self)? > 0)
            }

            fn unpark_all(&mut self, projection: &ProjectionId) -> QueryResult<usize> {
                UnparkAll { name: &projection.name, version: projection.version }.execute(self)
            }
        }
    };
}

pub(crate) use projection_tables;
