use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::result::{Error, QueryResult};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use uuid::Uuid;

use super::all_or_nothing::begin;
use super::append::{
    ATTEMPTS, MOST_TIMES_OVERTAKEN, advance_head, create_or_advance_head, enter, event_ids, events_statement,
    explain, insert_events, of_events, placement, refusal,
};
use super::append_keyed::append_keyed;
use super::statement_size::refuse_too_large;
use crate::model::append_batch::Guard;
use crate::model::json::Json;
use crate::storage::append::{AppendError, Batch, Placement};
use crate::storage::append_many::{AppendMany, Head, WholeBatch, Written};
use crate::storage::error::OperationError;
use crate::storage::executor::Executor;
use crate::storage::lent::Postgres;
use crate::storage::refused::Refused;
use crate::storage::server::Server;
use crate::storage::sql::keys::use_key;
use crate::storage::sql::of_stream::of_stream;
use crate::storage::sql::statement::statement;
use crate::storage::sql::versions::versions;

statement! {
    for Pg;
    /// Before the first head, as in an append.
    Enter -> Bool,
    concat!("SELECT ", enter!())
}

/// An append's two halves, so that all heads can come before all events.
macro_rules! head_statement {
    ($name:ident, $head:expr) => {
        statement! {
            for Pg;
            $name<'a> {
                tenant_id: &'a str => Text,
                aggregate_type: &'a str => Text,
                aggregate_id: &'a str => Text,
                count: i64 => BigInt,
                now: DateTime<Utc> => Timestamptz,
                event_ids: Vec<Uuid> => Array<diesel::sql_types::Uuid>,
                lowest: i64 => BigInt,
                highest: i64 => BigInt,
            } -> BigInt,
            concat!($head, " RETURNING head.aggregate_version")
        }
    };
}

head_statement!(AdvanceHead, advance_head!(enter!()));
head_statement!(CreateOrAdvanceHead, create_or_advance_head!(enter!()));

events_statement! {
    /// The version is that of the last event.
    InsertEvents {
        tenant_id: &'a str => Text,
        aggregate_type: &'a str => Text,
        aggregate_id: &'a str => Text,
        aggregate_version: i64 => BigInt,
        count: i64 => BigInt,
        nths: Vec<i64> => Array<BigInt>,
        event_ids: Vec<Uuid> => Array<diesel::sql_types::Uuid>,
    },
    concat!(
        "WITH head AS (SELECT ? AS tenant_id, ? AS aggregate_type, ? AS aggregate_id, ? AS aggregate_version), ",
        insert_events!("?, false", "$5", "?", "head")
    )
}

of_stream! {
    for Pg;
    /// Keeps the head where it is until the transaction ends.
    HoldHead -> BigInt,
    "SELECT aggregate_version FROM aggregate_heads \
     WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ? FOR SHARE"
}

of_stream! {
    for Pg;
    /// Another insert of the same head waits until this transaction has ended, also once the row is deleted
    /// again.
    ReserveHead,
    "INSERT INTO aggregate_heads (tenant_id, aggregate_type, aggregate_id, aggregate_version, updated_at) \
     VALUES (?, ?, ?, 0, now()) ON CONFLICT DO NOTHING"
}

of_stream! {
    for Pg;
    RemoveHead,
    "DELETE FROM aggregate_heads WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ?"
}

impl<C: Server<Backend = Pg>> AppendMany for Postgres<'_, C> {
    async fn append_batch(&mut self, whole: &WholeBatch<'_>) -> Result<Written, AppendError> {
        for batch in &whole.streams {
            refuse_too_large(batch)?;
        }
        if let Some(placement) = append_keyed(self.0, whole).await? {
            return Ok(Written::Now(vec![placement]));
        }
        let mut attempt = 1;
        loop {
            let mut open = begin(self.0).await?;
            let is_alone = open.is_alone();
            let outcome = write_all(&mut *open.conn, whole).await;
            match open.end(outcome).await {
                Err(error) if is_alone && attempt < ATTEMPTS && error.is_deadlock() => attempt += 1,
                outcome => return outcome,
            }
        }
    }
}

/// In the order in which all batches take their locks: the row that counts positions, the key, the heads.
async fn write_all<C>(conn: &mut C, whole: &WholeBatch<'_>) -> Result<Written, AppendError>
where
    C: Executor<Backend = Pg>,
{
    let _: bool = conn.row(Enter).await?;
    if let Some(key) = &whole.key {
        if let Some(append) = use_key(conn, key).await? {
            return Ok(Written::Before(append));
        }
    }
    write_streams(conn, whole).await.map(Written::Now)
}

async fn write_streams<C>(conn: &mut C, whole: &WholeBatch<'_>) -> Result<Vec<Placement>, AppendError>
where
    C: Executor<Backend = Pg>,
{
    let mut last_versions = vec![0; whole.streams.len()];
    for head in whole.heads() {
        match head {
            Head::Moved(nth, batch) => {
                let moved = move_head(conn, batch).await;
                last_versions[nth] = moved.map_err(|error| whole.counted(nth, error))?;
            }
            Head::Guarded(guard) => hold(conn, guard).await?,
        }
    }
    let mut placements = Vec::with_capacity(whole.streams.len());
    for (nth, (batch, last_version)) in whole.streams.iter().zip(last_versions).enumerate() {
        let inserted = insert(conn, batch, last_version).await;
        let rows = inserted.map_err(|error| whole.counted(nth, explain(batch, error)))?;
        Refused::unless_all(batch.events.len(), rows.len())?;
        placements.push(placement(rows).ok_or(Error::NotFound)?);
    }
    Ok(placements)
}

/// The version to which the head was moved.
async fn move_head<C: Executor<Backend = Pg>>(conn: &mut C, batch: &Batch<'_>) -> Result<i64, AppendError> {
    for _ in 0..MOST_TIMES_OVERTAKEN {
        if let Some(version) = advance(conn, batch).await? {
            return Ok(version);
        }
        if let Some(refusal) = refusal(conn, batch).await? {
            return Err(refusal);
        }
        // What stood in the way is gone: another connection has committed meanwhile.
    }
    Err(Refused::dropped_by_trigger("the head").into())
}

async fn advance<C: Executor<Backend = Pg>>(conn: &mut C, batch: &Batch<'_>) -> QueryResult<Option<i64>> {
    macro_rules! filled {
        ($statement:ident) => {{
            let (lowest, highest) = batch.acceptable_versions().into_inner();
            $statement {
                tenant_id: batch.stream.tenant_column(),
                aggregate_type: batch.stream.aggregate_type(),
                aggregate_id: batch.stream.aggregate_id(),
                count: batch.len(),
                now: batch.now,
                event_ids: event_ids(batch),
                lowest,
                highest,
            }
        }};
    }
    if batch.expected.allows(0) {
        conn.optional_row(filled!(CreateOrAdvanceHead)).await
    } else {
        conn.optional_row(filled!(AdvanceHead)).await
    }
}

/// Returns rows of versions and positions.
async fn insert<C>(conn: &mut C, batch: &Batch<'_>, last_version: i64) -> QueryResult<Vec<(i64, i64)>>
where
    C: Executor<Backend = Pg>,
{
    conn.rows(of_events!(InsertEvents, batch, { aggregate_version: last_version })).await
}

async fn hold<C: Executor<Backend = Pg>>(conn: &mut C, guard: &Guard) -> Result<(), AppendError> {
    if guard.expected.allows(0) {
        return hold_absent(conn, guard).await;
    }
    let version: Option<i64> = conn.optional_row(HoldHead::of(&guard.stream)).await?;
    Ok(guard.check(version.unwrap_or(0))?)
}

/// Keeps the head from being created until the transaction ends.
async fn hold_absent<C: Executor<Backend = Pg>>(conn: &mut C, guard: &Guard) -> Result<(), AppendError> {
    for _ in 0..MOST_TIMES_OVERTAKEN {
        if conn.execute(ReserveHead::of(&guard.stream)).await? > 0 {
            conn.execute(RemoveHead::of(&guard.stream)).await?;
            return Ok(());
        }
        // It may just have been deleted by another guard.
        guard.check(Batch::version(conn.row(versions(&guard.stream)).await?)?)?;
    }
    Err(Refused::dropped_by_trigger("the head").into())
}
