//! What goes along with the events of a log that moves.

use chrono::{DateTime, Utc};
use diesel::deserialize;
use diesel::expression::QueryMetadata;
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::sql_types::{BigInt, Nullable, Text};
use uuid::Uuid;

use crate::model::append_key::KeyedAppend;
use crate::model::hole::{Hole, holes};
use crate::model::partition::{MOVED_AWAY, Partition};
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::stream_id::StreamId;
use crate::model::timestamp;
use crate::storage::carry::{Carry, StreamStart, UsedKey};
use crate::storage::executor::Executor;
use crate::storage::lent::{BackendOf, Lent};
use crate::storage::sql::dialect::{Dialect, Id, Time};
use crate::storage::sql::lease::GiveBack;
use crate::storage::sql::row::{Columns, optional, stored_tenant, stream, value};
use crate::storage::sql::rows::{FromRow, Stored};
use crate::storage::sql::statement::statement;

type StartColumns = (Text, Text, Text, Nullable<BigInt>, BigInt, BigInt, BigInt);
type KeyColumns = (BigInt, Id, BigInt, Text, Text, Time);

/// Whether any are missing after its first event is not known yet.
struct Begun {
    start: StreamStart,
    events: i64,
}

impl<DB: Columns> FromRow<DB> for Begun {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        let start = StreamStart {
            stream: stream(row, 0)?,
            first_version: optional(row, 3, DB::long)?,
            version: value(row, 4, DB::long)?,
            archived_version: value(row, 5, DB::long)?,
            missing: Vec::new(),
        };
        Ok(Self { start, events: value(row, 6, DB::long)? })
    }
}

impl Begun {
    fn has_holes(&self) -> bool {
        self.start.first_version.is_some_and(|first| self.start.version - first + 1 != self.events)
    }
}

impl<DB: Columns> FromRow<DB> for UsedKey {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        Ok(Self {
            append: KeyedAppend::from_row(row)?,
            tenant_id: value(row, 3, |value| DB::name(value, stored_tenant))?.as_deref().unwrap_or("").into(),
            key: value(row, 4, DB::text)?.into(),
            created_at: value(row, 5, DB::time)?,
        })
    }
}

/// The events of the stream of a head.
macro_rules! of_head {
    () => {
        "FROM events WHERE events.tenant_id = head.tenant_id \
         AND events.aggregate_type = head.aggregate_type AND events.aggregate_id = head.aggregate_id"
    };
}

macro_rules! select_starts {
    ($($condition:expr),+) => {
        concat!(
            "SELECT tenant_id, aggregate_type, aggregate_id, \
             (SELECT min(events.aggregate_version) ",
            of_head!(),
            " AND events.global_position <= ?), \
             coalesce((SELECT max(events.aggregate_version) ",
            of_head!(),
            " AND events.global_position <= ?), \
             (SELECT min(events.aggregate_version) - 1 ",
            of_head!(),
            " AND events.global_position > ?), aggregate_version), archived_version, \
             (SELECT count(*) ",
            of_head!(),
            " AND events.global_position <= ?) FROM aggregate_heads AS head WHERE ",
            $($condition,)+
            " ORDER BY tenant_id, aggregate_type, aggregate_id{all}"
        )
    };
}

statement! {
    for every database;
    /// Of events that lie after the position, the first follows the last one that does not.
    SelectStarts {
        first_up_to: i64 => bind_long,
        last_up_to: i64 => bind_long,
        after: i64 => bind_long,
        count_up_to: i64 => bind_long,
    } -> StartColumns,
    select_starts!("NOT EXISTS (SELECT 1 ", of_head!(), " AND events.aggregate_version = 1)")
}

statement! {
    for every database;
    SelectStreamsWithHoles {
        first_up_to: i64 => bind_long,
        last_up_to: i64 => bind_long,
        after: i64 => bind_long,
        count_up_to: i64 => bind_long,
    } -> StartColumns,
    select_starts!(
        "EXISTS (SELECT 1 ",
        of_head!(),
        " AND events.aggregate_version = 1) AND (SELECT max(events.aggregate_version) - count(*) ",
        of_head!(),
        ") <> 0"
    )
}

statement! {
    for every database;
    SelectVersions<'a> {
        tenant_id: &'a str => bind_tenant,
        aggregate_type: &'a str => bind_text,
        aggregate_id: &'a str => bind_text,
        up_to: i64 => bind_long,
    } -> BigInt,
    "SELECT aggregate_version FROM events WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ? \
     AND global_position <= ? ORDER BY aggregate_version{all}"
}

statement! {
    for every database;
    SelectAnyHead -> BigInt,
    "SELECT aggregate_version FROM aggregate_heads LIMIT 1"
}

statement! {
    for every database;
    CreateHead<'a> {
        tenant_id: &'a str => bind_tenant,
        aggregate_type: &'a str => bind_text,
        aggregate_id: &'a str => bind_text,
        version: i64 => bind_long,
        now: DateTime<Utc> => bind_time,
    },
    "INSERT INTO aggregate_heads (tenant_id, aggregate_type, aggregate_id, aggregate_version, updated_at) \
     VALUES (?, ?, ?, ?, ?)"
}

statement! {
    for every database;
    UpdateHead<'a> {
        version: i64 => bind_long,
        now: DateTime<Utc> => bind_time,
        tenant_id: &'a str => bind_tenant,
        aggregate_type: &'a str => bind_text,
        aggregate_id: &'a str => bind_text,
    },
    "UPDATE aggregate_heads SET aggregate_version = ?, updated_at = ? \
     WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ?"
}

statement! {
    for every database;
    /// A checkpoint that the application keeps itself has no worker.
    Seize<'a> {
        owner: &'a str => bind_text,
        until: i64 => bind_long,
        name: &'a str => bind_text,
        version: i32 => bind_integer,
    },
    "UPDATE projection_checkpoints SET owner = ?, leased_until = ?, fencing_token = fencing_token + 1 \
     WHERE projection_name = ? AND projection_version = ? AND fencing_token > 0"
}

statement! {
    for every database;
    RestorePartition<'a> {
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        number: i32 => bind_integer,
        count: i32 => bind_integer,
        position: i64 => bind_long,
        last_event_position: Option<i64> => bind_optional_long,
        last_event_id: Option<Uuid> => bind_optional_id,
        token: i64 => bind_long,
        updated_at: DateTime<Utc> => bind_time,
        state: &'a str => bind_text,
        failing_since: Option<i64> => bind_optional_long,
        barrier: Option<i64> => bind_optional_long,
    },
    "INSERT INTO projection_checkpoints (projection_name, projection_version, partition_number, \
     partition_count, last_global_position, last_event_position, last_event_id, fencing_token, updated_at, \
     state, failing_since, barrier_position) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
}

statement! {
    for every database;
    SetLastError<'a> {
        error: &'a str => bind_text,
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        number: i32 => bind_integer,
    },
    "UPDATE projection_checkpoints SET last_error = ? \
     WHERE projection_name = ? AND projection_version = ? AND partition_number = ?"
}

statement! {
    for every database;
    SetNextCount<'a> {
        count: i32 => bind_integer,
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        number: i32 => bind_integer,
    },
    "UPDATE projection_checkpoints SET next_partition_count = ? \
     WHERE projection_name = ? AND projection_version = ? AND partition_number = ?"
}

statement! {
    for every database;
    /// Of a key whose events are not there any more it cannot be told where they were. The key to begin after
    /// may be empty, like a tenant.
    SelectKeys<'a> {
        after_tenant: &'a str => bind_tenant,
        tenant_id: &'a str => bind_tenant,
        key: &'a str => bind_tenant,
        up_to: i64 => bind_long,
        limit: i64 => bind_long,
    } -> KeyColumns,
    "SELECT fingerprint, first_event_id, event_count, append_keys.tenant_id, idempotency_key, \
     append_keys.created_at FROM append_keys LEFT JOIN events ON event_id = first_event_id \
     WHERE (append_keys.tenant_id > ? OR append_keys.tenant_id = ? AND idempotency_key > ?) \
     AND (global_position IS NULL OR global_position <= ?) \
     ORDER BY append_keys.tenant_id, idempotency_key LIMIT ?"
}

statement! {
    for every database;
    DeleteKeys,
    "DELETE FROM append_keys{all}"
}

statement! {
    for every database;
    /// Of a log that is closed. A row that was made by hand may be without one.
    ReplaceNote<'a> { to: &'a str => bind_text, from: &'a str => bind_text },
    "UPDATE event_log SET note = ? WHERE id = 1 AND state <> 'open' AND coalesce(note, '') = ?"
}

impl<L> Carry for L
where
    L: Lent,
    BackendOf<L>: Dialect + QueryMetadata<StartColumns> + QueryMetadata<KeyColumns> + QueryMetadata<BigInt>,
{
    async fn stream_starts(&mut self, up_to: Position) -> QueryResult<Vec<StreamStart>> {
        let position = up_to.get();
        let select = SelectStarts {
            first_up_to: position,
            last_up_to: position,
            after: position,
            count_up_to: position,
        };
        let begun = self.connection().load(select, Stored::default()).await?;
        with_holes(self, begun, up_to).await
    }

    async fn streams_with_holes(&mut self, up_to: Position) -> QueryResult<Vec<StreamStart>> {
        let position = up_to.get();
        let select = SelectStreamsWithHoles {
            first_up_to: position,
            last_up_to: position,
            after: position,
            count_up_to: position,
        };
        let begun = self.connection().load(select, Stored::default()).await?;
        let mut starts = with_holes(self, begun, up_to).await?;
        // What is missing may lie after the position.
        starts.retain(|start| !start.missing.is_empty());
        Ok(starts)
    }

    async fn holes(&mut self, stream: &StreamId, up_to: Position) -> QueryResult<Vec<Hole>> {
        let select = SelectVersions {
            tenant_id: stream.tenant_column(),
            aggregate_type: stream.aggregate_type(),
            aggregate_id: stream.aggregate_id(),
            up_to: up_to.get(),
        };
        Ok(holes(&self.connection().load(select, Stored::<i64>::default()).await?))
    }

    async fn has_heads(&mut self) -> QueryResult<bool> {
        Ok(!self.connection().load(SelectAnyHead, Stored::<i64>::default()).await?.is_empty())
    }

    async fn set_head(&mut self, stream: &StreamId, version: i64) -> QueryResult<()> {
        let (tenant_id, now) = (stream.tenant_column(), timestamp::now());
        let (aggregate_type, aggregate_id) = (stream.aggregate_type(), stream.aggregate_id());
        let update = UpdateHead { version, now, tenant_id, aggregate_type, aggregate_id };
        if self.connection().execute(update).await? == 0 {
            let create = CreateHead { tenant_id, aggregate_type, aggregate_id, version, now };
            self.connection().execute(create).await?;
        }
        Ok(())
    }

    async fn seize(&mut self, projection: &ProjectionId) -> QueryResult<usize> {
        let (name, version) = (&*projection.name, projection.version);
        self.connection().execute(Seize { owner: MOVED_AWAY, until: i64::MAX, name, version }).await
    }

    async fn give_back(&mut self) -> QueryResult<usize> {
        self.connection().execute(GiveBack { owner: MOVED_AWAY }).await
    }

    async fn restore_partition(&mut self, partition: &Partition) -> QueryResult<()> {
        let (name, version) = (&*partition.key.projection.name, partition.key.projection.version);
        let number = partition.key.number;
        let restore = RestorePartition {
            name,
            version,
            number,
            count: partition.count,
            position: partition.position.get(),
            last_event_position: partition.witness.map(|witness| witness.position.get()),
            last_event_id: partition.witness.map(|witness| witness.event_id),
            token: partition.token,
            updated_at: partition.updated_at,
            state: partition.state.name(),
            failing_since: partition.failing.map(|failing| failing.since.timestamp_millis()),
            barrier: partition.barrier.map(|barrier| barrier.position.get()),
        };
        self.connection().execute(restore).await?;
        if let Some(error) = &partition.last_error {
            self.connection().execute(SetLastError { error, name, version, number }).await?;
        }
        if let Some(barrier) = partition.barrier {
            let count = barrier.next_count;
            self.connection().execute(SetNextCount { count, name, version, number }).await?;
        }
        Ok(())
    }

    async fn keys_after(
        &mut self,
        tenant_id: &str,
        key: &str,
        up_to: Position,
        limit: i64,
    ) -> QueryResult<Vec<UsedKey>> {
        let select = SelectKeys { after_tenant: tenant_id, tenant_id, key, up_to: up_to.get(), limit };
        self.connection().load(select, Stored::default()).await
    }

    async fn delete_keys(&mut self) -> QueryResult<usize> {
        self.connection().execute(DeleteKeys).await
    }

    async fn replace_note(&mut self, from: &str, to: &str) -> QueryResult<bool> {
        Ok(self.connection().execute(ReplaceNote { to, from }).await? > 0)
    }
}

async fn with_holes<L: Carry>(
    database: &mut L,
    begun: Vec<Begun>,
    up_to: Position,
) -> QueryResult<Vec<StreamStart>> {
    let mut starts = Vec::with_capacity(begun.len());
    for mut begun in begun {
        if begun.has_holes() {
            begun.start.missing = database.holes(&begun.start.stream, up_to).await?;
        }
        starts.push(begun.start);
    }
    Ok(starts)
}
