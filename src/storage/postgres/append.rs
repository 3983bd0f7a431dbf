use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel::result::{Error, QueryResult};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use uuid::Uuid;

use super::all_or_nothing::begin;
use super::error::{is_foreign, is_overtaken, recorded_key};
use super::statement_size::refuse_too_large;
use crate::model::json::Json;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::schema::postgres::events;
use crate::storage::append::{Append, AppendError, Batch, Placement};
use crate::storage::append_many::{AppendMany, WholeBatch, Written};
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::executor::Executor;
use crate::storage::lent::Postgres;
use crate::storage::refused::Refused;
use crate::storage::server::Server;
use crate::storage::sql::of_stream::of_stream;
use crate::storage::sql::statement::statement;
use crate::storage::sql::versions::versions;

/// A statement that inserts events and returns their versions and positions. It ends with the arrays of what
/// they hold, which `of_events` fills in.
macro_rules! events_statement {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $rust:ty => $sql_type:ty),+ $(,)? }, $sql:expr) => {
        statement! {
            for Pg;
            $(#[$doc])*
            $name<'a> {
                $($field: $rust => $sql_type,)+
                event_types: Vec<&'a str> => Array<Text>,
                event_versions: Vec<i32> => Array<Integer>,
                payloads: Vec<&'a str> => Array<Text>,
                metadata: Vec<Option<&'a str>> => Array<Nullable<Text>>,
                trace_ids: Vec<Option<&'a str>> => Array<Nullable<Text>>,
                correlation_ids: Vec<Option<&'a str>> => Array<Nullable<Text>>,
                causation_ids: Vec<Option<&'a str>> => Array<Nullable<Text>>,
                created_at: Vec<DateTime<Utc>> => Array<Timestamptz>,
            } -> (BigInt, BigInt),
            $sql
        }
    };
}

/// Fills in a statement that inserts the events of a batch, with the values of its own fields.
macro_rules! of_events {
    ($statement:ident, $batch:ident, { $($field:ident: $value:expr),+ $(,)? }) => {{
        let contents = || $batch.events.iter().map(|event| &event.content);
        $statement {
            tenant_id: $batch.stream.tenant_column(),
            aggregate_type: $batch.stream.aggregate_type(),
            aggregate_id: $batch.stream.aggregate_id(),
            count: $batch.len(),
            event_ids: event_ids($batch),
            nths: (1..=$batch.len()).collect(),
            event_types: contents().map(|content| &*content.event_type).collect(),
            event_versions: contents().map(|content| content.event_version).collect(),
            payloads: contents().map(|content| content.payload.as_str()).collect(),
            metadata: contents().map(|content| content.metadata.as_ref().map(Json::as_str)).collect(),
            trace_ids: contents().map(|content| content.trace_id.as_deref()).collect(),
            correlation_ids: contents().map(|content| content.correlation_id.as_deref()).collect(),
            causation_ids: contents().map(|content| content.causation_id.as_deref()).collect(),
            created_at: $batch.events.iter().map(|event| event.created_at.unwrap_or($batch.now)).collect(),
            $($field: $value),+
        }
    }};
}

pub(super) use {events_statement, of_events};

/// A statement that moves the head of a stream and inserts its events: the fields before and behind those of
/// the head.
macro_rules! append_statement {
    ($name:ident { $($before:tt)* } { $($behind:tt)* }, $sql:expr) => {
        events_statement! {
            $name {
                $($before)*
                tenant_id: &'a str => Text,
                aggregate_type: &'a str => Text,
                aggregate_id: &'a str => Text,
                count: i64 => BigInt,
                now: DateTime<Utc> => Timestamptz,
                event_ids: Vec<Uuid> => Array<diesel::sql_types::Uuid>,
                lowest: i64 => BigInt,
                highest: i64 => BigInt,
                $($behind)*
                nths: Vec<i64> => Array<BigInt>,
            },
            $sql
        }
    };
}

/// Fills in the one that fits what is expected, and sends it.
macro_rules! send_append {
    ($conn:ident, $batch:ident, { $($field:ident: $value:expr),+ $(,)? }) => {{
        let (lowest, highest) = $batch.acceptable_versions().into_inner();
        macro_rules! filled {
            ($statement:ident) => {
                of_events!($statement, $batch, {
                    now: $batch.now,
                    lowest: lowest,
                    highest: highest,
                    $($field: $value),+
                })
            };
        }
        if $batch.expected.allows(0) {
            $conn.rows(filled!(CreateOrAppendToStream)).await
        } else {
            $conn.rows(filled!(AppendToStream)).await
        }
    }};
}

pub(super) use {append_statement, send_append};

/// A whole append in one statement, so that it takes one round trip and needs no savepoint: the head first,
/// which takes the row lock; then a place in the log; then the events. If the head does not move, or one of
/// the ids is there already, it writes nothing and returns no row.
///
/// `nextval` is called after the events are sorted, so positions grow with the versions. The ids are looked
/// up one by one, because `event_id = ANY (…)`, planned while the table is small, is a scan of the whole
/// table for as long as the plan is kept. The arrays are unnested side by side in a select list and not in
/// FROM, where PostgreSQL would put each into a buffer of its own, so much memory that every append would
/// fetch it from the system anew. `nth` is an array like the others, because of any other series PostgreSQL
/// expects a thousand rows, and would plan each append anew to find that there are fewer.
macro_rules! plain_statement {
    ($name:ident, $head:expr) => {
        append_statement! {
            $name {} { is_alone: bool => Bool, },
            concat!(
                "WITH head AS (",
                $head,
                " RETURNING head.tenant_id, head.aggregate_type, head.aggregate_id, head.aggregate_version), ",
                insert_events!("$4, ?", "$4", "$6", "head")
            )
        }
    };
}

/// Inserts the events of a stream whose `head`, a row of `$from`, is at the version of the last of them.
/// `$reserve` are the first two arguments of `event_store_reserve`.
macro_rules! insert_events {
    ($reserve:literal, $number:literal, $event_ids:literal, $from:literal) => {
        concat!(
            "reserved AS MATERIALIZED (SELECT head.*, event_store_reserve(",
            $reserve,
            ", \
             CASE WHEN event_store_is_to_look() THEN (SELECT max(global_position) FROM events) END) \
             AS position FROM ",
            $from,
            ") \
             INSERT INTO events (global_position, tenant_id, aggregate_type, aggregate_id, \
             aggregate_version, event_id, event_type, event_version, payload, metadata, trace_id, \
             correlation_id, causation_id, created_at) \
             SELECT coalesce(reserved.position + nth, nextval(event_store_sequence())), \
             reserved.tenant_id, reserved.aggregate_type, reserved.aggregate_id, \
             reserved.aggregate_version - ",
            $number,
            " + nth, event_id, event_type, event_version, payload::json, \
             metadata::json, trace_id, correlation_id, causation_id, created_at \
             FROM reserved, (SELECT unnest(?) AS nth, unnest(",
            $event_ids,
            ") AS event_id, unnest(?) AS event_type, \
             unnest(?) AS event_version, unnest(?) AS payload, unnest(?) AS metadata, \
             unnest(?) AS trace_id, unnest(?) AS correlation_id, unnest(?) AS causation_id, \
             unnest(?) AS created_at) AS event \
             ORDER BY nth \
             RETURNING aggregate_version, global_position"
        )
    };
}

pub(super) use insert_events;

/// Moves the head of an aggregate that has events, after `$first`, which is true.
macro_rules! advance_head {
    ($first:expr) => {
        concat!(
            "UPDATE aggregate_heads AS head \
             SET aggregate_version = head.aggregate_version + added, updated_at = now \
             FROM (SELECT ",
            $first,
            " AS is_entered, ? AS tenant_id, ? AS aggregate_type, ? AS aggregate_id, \
             ? AS added, ? AS now) AS batch \
             WHERE is_entered AND head.tenant_id = batch.tenant_id \
             AND head.aggregate_type = batch.aggregate_type AND head.aggregate_id = batch.aggregate_id \
             AND NOT EXISTS (SELECT FROM unnest(?) AS id WHERE (SELECT true FROM events WHERE event_id = id)) \
             AND head.aggregate_version BETWEEN ? AND ?"
        )
    };
}

/// Moves the head of an aggregate that may not have events yet, after `$first`, which is true.
macro_rules! create_or_advance_head {
    ($first:expr) => {
        concat!(
            "INSERT INTO aggregate_heads AS head \
             (tenant_id, aggregate_type, aggregate_id, aggregate_version, updated_at) \
             SELECT ?, ?, ?, ?, ? \
             WHERE ",
            $first,
            " AND NOT EXISTS (SELECT FROM unnest(?) AS id WHERE (SELECT true FROM events WHERE event_id = id)) \
             ON CONFLICT (tenant_id, aggregate_type, aggregate_id) DO UPDATE \
             SET aggregate_version = head.aggregate_version + excluded.aggregate_version, \
             updated_at = excluded.updated_at \
             WHERE head.aggregate_version BETWEEN ? AND ?"
        )
    };
}

pub(super) use {advance_head, create_or_advance_head};

/// Is true, or an error. The subscription is looked up by the statement itself, because PostgreSQL does not
/// inline a function that does so.
macro_rules! enter {
    () => {
        "event_store_enter(\
         (SELECT srsubid FROM pg_subscription_rel WHERE srrelid = 'events'::regclass LIMIT 1))"
    };
}

/// Nothing is written in a single statement that could not be compared before it is committed.
macro_rules! enter_alone {
    () => {
        concat!($crate::storage::postgres::append::enter!(), " AND NOT event_store_may_drop_rows()")
    };
}

pub(super) use {enter, enter_alone};

plain_statement!(AppendToStream, advance_head!(enter_alone!()));
plain_statement!(CreateOrAppendToStream, create_or_advance_head!(enter_alone!()));

statement! {
    for Pg;
    /// It names the tables, so that it is planned anew once one of them has another trigger.
    MayDropRows -> Bool,
    "SELECT event_store_may_drop_rows() WHERE NOT EXISTS (SELECT FROM events, aggregate_heads WHERE false)"
}

of_stream! {
    for Pg;
    /// Above READ COMMITTED it locks nothing: a row that another transaction has changed since the snapshot
    /// would abort the transaction.
    LockHead -> BigInt,
    "SELECT aggregate_version FROM aggregate_heads \
     WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ? \
     AND current_setting('transaction_isolation') IN ('read committed', 'read uncommitted') FOR UPDATE"
}

/// How often another connection can come in between before that is taken for a trigger that keeps the head
/// out, or where it is.
pub(super) const MOST_TIMES_OVERTAKEN: u32 = 1000;

/// How often a transaction of its own is tried that the database rolls back so that another can go on.
pub(super) const ATTEMPTS: u32 = 10;

impl<C: Server<Backend = Pg>> Append for Postgres<'_, C> {
    async fn append(&mut self, batch: &Batch<'_>) -> Result<Placement, AppendError> {
        refuse_too_large(batch)?;
        for _ in 0..MOST_TIMES_OVERTAKEN {
            let rows = insert_alone_again(self.0, batch).await.map_err(|error| explain(batch, error))?;
            if let Some(placement) = placement(rows) {
                return Ok(placement);
            }
            if let Some(refusal) = refusal(self.0, batch).await? {
                return Err(refusal);
            }
            if self.0.row(MayDropRows).await? {
                return append_compared(self, batch).await;
            }
            // What stood in the way is gone: another connection has committed meanwhile. So each time around
            // one of them gets on.
        }
        Err(Refused::dropped_by_trigger("the head").into())
    }

    async fn lock_head(&mut self, stream: &StreamId) -> QueryResult<()> {
        let _: Option<i64> = self.0.optional_row(LockHead::of(stream)).await?;
        Ok(())
    }
}

/// With the events in a statement of their own, behind which what it has done can be rolled back.
async fn append_compared<D: AppendMany>(
    database: &mut D,
    batch: &Batch<'_>,
) -> Result<Placement, AppendError> {
    let whole = WholeBatch { streams: vec![*batch], guards: &[], key: None };
    match database.append_batch(&whole).await? {
        Written::Now(mut placements) => Ok(placements.pop().ok_or(Error::NotFound)?),
        Written::Before(_) => Err(Error::NotFound.into()), // it has no key
    }
}

/// A statement that is its own transaction is run again if the database has ended it so that another can go
/// on: a deadlock, or, if the database's default isolation is above READ COMMITTED, an append to the same
/// aggregate.
async fn insert_alone_again<C>(conn: &mut C, batch: &Batch<'_>) -> QueryResult<Vec<(i64, i64)>>
where
    C: Server<Backend = Pg>,
{
    match insert(conn, batch).await {
        Err(error) if conn.depth().is_ok_and(|depth| depth == 0) && is_overtaken(&error) => {
            insert_read_committed(conn, batch, error).await
        }
        outcome => outcome,
    }
}

/// In READ COMMITTED it waits for another append to the aggregate, however many there are, and then goes on
/// from what that one has committed. Only deadlocks are left.
async fn insert_read_committed<C>(
    conn: &mut C,
    batch: &Batch<'_>,
    mut overtaken: Error,
) -> QueryResult<Vec<(i64, i64)>>
where
    C: Server<Backend = Pg>,
{
    for _ in 1..ATTEMPTS {
        let mut open = match begin(conn).await {
            // It was not alone: diesel does not know of a transaction that was begun with SQL.
            Err(error) if is_foreign(&error) => break,
            begun => begun?,
        };
        let outcome = insert(&mut *open.conn, batch).await;
        match open.end(outcome).await {
            Err(error) if is_overtaken(&error) => overtaken = error,
            outcome => return outcome,
        }
    }
    Err(overtaken)
}

async fn insert<C>(conn: &mut C, batch: &Batch<'_>) -> QueryResult<Vec<(i64, i64)>>
where
    C: Server<Backend = Pg>,
{
    // Whether the append is a transaction of its own.
    let is_alone = conn.depth()? == 0;
    send_append!(conn, batch, { is_alone: is_alone })
}

pub(super) fn event_ids(batch: &Batch<'_>) -> Vec<Uuid> {
    batch.events.iter().map(|event| event.id()).collect()
}

/// Of rows of versions and positions; `None` if there are none.
pub(super) fn placement(mut rows: Vec<(i64, i64)>) -> Option<Placement> {
    rows.sort_unstable(); // they come in this order, which SQL does not promise
    let (first_version, _) = *rows.first()?;
    let positions = rows.into_iter().map(|(_, position)| Position::stored(position)).collect();
    Some(Placement { previous_version: first_version - 1, positions })
}

/// Why nothing was written, if the reason still stands. An append that went through and is repeated finds the
/// stream elsewhere, by its own doing: that it is recorded already says more than the conflict.
pub(super) async fn refusal<C>(conn: &mut C, batch: &Batch<'_>) -> QueryResult<Option<AppendError>>
where
    C: Executor<Backend = Pg>,
{
    if let Some(duplicate) = duplicate(conn, batch).await? {
        return Ok(Some(duplicate));
    }
    let actual = Batch::version(conn.row(versions(batch.stream)).await?)?;
    let is_acceptable = match actual {
        0 => batch.expected.allows(0),
        _ => batch.acceptable_versions().contains(&actual),
    };
    Ok((!is_acceptable).then(|| batch.refusal(actual)))
}

/// The first event of the batch whose id is recorded already.
async fn duplicate<C>(conn: &mut C, batch: &Batch<'_>) -> QueryResult<Option<AppendError>>
where
    C: Executor<Backend = Pg>,
{
    let with_ids = events::table.filter(events::event_id.eq_any(event_ids(batch))).select(events::event_id);
    let recorded: Vec<Uuid> = conn.rows(with_ids).await?;
    let recorded: HashSet<Uuid> = recorded.into_iter().collect();
    let first = batch.events.iter().position(|event| recorded.contains(&event.id()));
    Ok(first.map(|event_index| batch.duplicate(event_index)))
}

/// The columns of the keys in which an append counts.
const COUNTED: [&str; 2] = ["global_position", "tenant_id, aggregate_type, aggregate_id, aggregate_version"];

/// What stands in one of the indexes already. An id: another connection has recorded it at the same moment.
/// PostgreSQL has aborted the transaction, so it cannot be asked any more, but it has said which id it is. A
/// version or a position: it was not counted where it is counted. Any other index is the application's own.
pub(super) fn explain(batch: &Batch<'_>, error: Error) -> AppendError {
    let Some(key) = recorded_key(&error) else { return error.into() };
    if COUNTED.iter().any(|columns| key.starts_with(&format!("Key ({columns})="))) {
        return Refused::error(DatabaseErrorKind::NeedsRepair, format!("events: {key}")).into();
    }
    match batch.events.iter().position(|event| key.contains(&event.id().to_string())) {
        Some(event_index) => batch.duplicate(event_index),
        None => error.into(),
    }
}
