use std::collections::HashSet;
use std::convert::identity;

use chrono::{DateTime, Utc};
use diesel::mysql::Mysql;
use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel::result::{DatabaseErrorKind, Error, QueryResult};
use diesel::sql_types::{BigInt, Text};

use super::all_or_nothing::{Work, all_or_nothing};
use super::error::duplicate_event_id;
use super::fence::{self, Entry};
use super::galera::is_galera;
use super::guards::{current, inside};
use super::insert::{insert_events, statement_bytes};
use super::tenant::tenant;
use crate::model::stream_id::StreamId;
use crate::model::timestamp;
use crate::schema::mysql::events;
use crate::storage::append::{Append, AppendError, Batch, Placement};
use crate::storage::error_kind::DatabaseErrorKind::NeedsRepair;
use crate::storage::executor::Executor;
use crate::storage::lent;
use crate::storage::read::Read;
use crate::storage::refused::Refused;
use crate::storage::scope::Scope;
use crate::storage::server::Server;
use crate::storage::sql::dialect::Time;
use crate::storage::sql::of_stream::of_stream;
use crate::storage::sql::statement::statement;
use crate::storage::sql::versions::versions;

statement! {
    for Mysql;
    /// Moves the head of an aggregate that has events, and keeps in LAST_INSERT_ID where it was.
    AdvanceHead<'a> {
        added: i64 => BigInt,
        now: DateTime<Utc> => Time,
        tenant_id: &'a str => Text,
        aggregate_type: &'a str => Text,
        aggregate_id: &'a str => Text,
        lowest: i64 => BigInt,
        highest: i64 => BigInt,
    },
    current!(
        "UPDATE aggregate_heads SET aggregate_version = ",
        inside!("LAST_INSERT_ID(aggregate_version) + ?"),
        ", updated_at = ? WHERE tenant_id = ",
        tenant!(),
        " AND aggregate_type = ? AND aggregate_id = ? AND aggregate_version BETWEEN ? AND ?"
    )
}

statement! {
    for Mysql;
    /// Moves the head of an aggregate, which may not have events yet. It keeps in LAST_INSERT_ID where the
    /// head was, also if it stays there: the number of affected rows does not tell. Assignments are made from
    /// left to right.
    CreateOrAdvanceHead<'a> {
        tenant_id: &'a str => Text,
        aggregate_type: &'a str => Text,
        aggregate_id: &'a str => Text,
        added: i64 => BigInt,
        now: DateTime<Utc> => Time,
        lowest: i64 => BigInt,
        highest: i64 => BigInt,
        then_now: DateTime<Utc> => Time,
        again_lowest: i64 => BigInt,
        again_highest: i64 => BigInt,
        then_added: i64 => BigInt,
    },
    current!(
        "INSERT INTO aggregate_heads (tenant_id, aggregate_type, aggregate_id, aggregate_version, updated_at) \
         VALUES (",
        tenant!(),
        ", ?, ?, ",
        inside!("LAST_INSERT_ID(0) + ?"),
        ", ?) ON DUPLICATE KEY UPDATE \
         updated_at = IF(aggregate_version BETWEEN ? AND ?, ?, updated_at), aggregate_version = ",
        inside!("aggregate_version + IF(LAST_INSERT_ID(aggregate_version) BETWEEN ? AND ?, ?, 0)")
    )
}

of_stream! {
    for Mysql;
    LockHead -> BigInt,
    current!(
        "SELECT aggregate_version FROM aggregate_heads WHERE tenant_id = ",
        tenant!(),
        " AND aggregate_type = ? AND aggregate_id = ? FOR UPDATE"
    )
}

of_stream! {
    for Mysql;
    /// A head that was just created. Rolled back, it would leave a lock on the gap where it was.
    RemoveHead,
    concat!(
        "DELETE FROM aggregate_heads WHERE tenant_id = ",
        tenant!(),
        " AND aggregate_type = ? AND aggregate_id = ?"
    )
}

/// How many ids are asked for at once: a statement has room for 65,535.
const IDS_TOGETHER: usize = 8192;

impl<C: Server<Backend = Mysql>> Append for lent::Mysql<'_, C> {
    async fn append(&mut self, batch: &Batch<'_>) -> Result<Placement, AppendError> {
        let write = Write { batch, statement_bytes: statement_bytes(self.0, batch).await? };
        let outcome = all_or_nothing(self.0, write).await.and_then(identity);
        outcome.map_err(|error| name_duplicate(batch, error))
    }

    /// Only a head that is there: above READ COMMITTED, to lock one that is not would keep every other
    /// aggregate out that begins in the same gap. There, what the transaction has read before stays as it
    /// was.
    async fn lock_head(&mut self, stream: &StreamId) -> QueryResult<()> {
        if self.version(stream).await? > 0 {
            locked_version(self.0, stream).await?;
        }
        Ok(())
    }
}

struct Write<'b> {
    batch: &'b Batch<'b>,
    statement_bytes: usize,
}

impl<C: Executor<Backend = Mysql>> Work<C> for Write<'_> {
    /// Or why there is none, and nothing that has to be rolled back.
    type Output = Result<Placement, AppendError>;
    type Error = AppendError;

    /// The head first: it takes the row lock that keeps other appends to the aggregate out, a conflict has
    /// then written nothing, and positions follow versions.
    async fn run(&self, conn: &mut C, scope: Scope) -> Result<Self::Output, AppendError> {
        let entry = move_head(conn, self.batch).await?;
        if scope == Scope::Savepoint && entry.keeps_gaps {
            if let Some(duplicate) = duplicate(conn, self.batch).await? {
                return leave_head(conn, self.batch, &entry, duplicate).await;
            }
        }
        match insert_events(conn, self.batch, entry.last_insert_id, &entry, self.statement_bytes).await {
            Ok(positions) => Ok(Ok(Placement { previous_version: entry.last_insert_id, positions })),
            Err(error) => Err(overtaken(conn, error).await.into()),
        }
    }
}

/// Leaves the head as it was, after an event was refused whose insert, in MySQL, would keep every other
/// append waiting until the application's transaction ends. A head that was moved can be rolled back.
async fn leave_head<C: Executor<Backend = Mysql>>(
    conn: &mut C,
    batch: &Batch<'_>,
    entry: &Entry,
    refused: AppendError,
) -> Result<Result<Placement, AppendError>, AppendError> {
    if entry.last_insert_id > 0 {
        return Err(refused);
    }
    conn.execute(RemoveHead::of(batch.stream)).await?;
    Ok(Err(refused))
}

/// Moves the head from where it is expected, which is in `last_insert_id`, and enters the fence.
async fn move_head<C>(conn: &mut C, batch: &Batch<'_>) -> Result<Entry, AppendError>
where
    C: Executor<Backend = Mysql>,
{
    if !batch.expected.allows(0) {
        advance_head(conn, batch).await?;
        return Ok(fence::enter(conn).await?);
    }
    conn.execute(create_or_advance_head(batch)).await?;
    let entry = fence::enter(conn).await?;
    if batch.acceptable_versions().contains(&entry.last_insert_id) {
        return Ok(entry);
    }
    Err(refusal(conn, batch, entry.last_insert_id).await?)
}

pub(super) fn create_or_advance_head<'a>(batch: &Batch<'a>) -> CreateOrAdvanceHead<'a> {
    let (lowest, highest) = batch.acceptable_versions().into_inner();
    CreateOrAdvanceHead {
        tenant_id: batch.stream.tenant_column(),
        aggregate_type: batch.stream.aggregate_type(),
        aggregate_id: batch.stream.aggregate_id(),
        added: batch.len(),
        now: batch.now,
        lowest,
        highest,
        then_now: batch.now,
        again_lowest: lowest,
        again_highest: highest,
        then_added: batch.len(),
    }
}

fn move_existing_head<'a>(batch: &Batch<'a>) -> AdvanceHead<'a> {
    let (lowest, highest) = batch.acceptable_versions().into_inner();
    AdvanceHead {
        added: batch.len(),
        now: batch.now,
        tenant_id: batch.stream.tenant_column(),
        aggregate_type: batch.stream.aggregate_type(),
        aggregate_id: batch.stream.aggregate_id(),
        lowest,
        highest,
    }
}

/// Creates a head if there is none, and keeps in LAST_INSERT_ID where it is.
pub(super) fn reserve_head(stream: &StreamId) -> CreateOrAdvanceHead<'_> {
    let now = timestamp::now();
    CreateOrAdvanceHead {
        tenant_id: stream.tenant_column(),
        aggregate_type: stream.aggregate_type(),
        aggregate_id: stream.aggregate_id(),
        added: 1,
        now,
        lowest: 0,
        highest: 0,
        then_now: now,
        again_lowest: 0,
        again_highest: 0,
        then_added: 1,
    }
}

/// If the head is elsewhere, where it is now is asked by a locking read: an old snapshot of the application's
/// transaction does not know. It may just have come to where it is expected, but now it stays there.
pub(super) async fn advance_head<C>(conn: &mut C, batch: &Batch<'_>) -> Result<(), AppendError>
where
    C: Executor<Backend = Mysql>,
{
    while conn.execute(move_existing_head(batch)).await? == 0 {
        let actual = locked_version(conn, batch.stream).await?;
        if !batch.acceptable_versions().contains(&actual) {
            return Err(refusal(conn, batch, actual).await?);
        }
    }
    Ok(())
}

async fn locked_version<C: Executor<Backend = Mysql>>(conn: &mut C, stream: &StreamId) -> QueryResult<i64> {
    Ok(conn.optional_row(LockHead::of(stream)).await?.unwrap_or(0))
}

/// Why the head was not moved. An append that went through and is repeated finds the stream elsewhere, by its
/// own doing: that it is recorded already says more than the conflict.
pub(super) async fn refusal<C>(conn: &mut C, batch: &Batch<'_>, actual: i64) -> QueryResult<AppendError>
where
    C: Executor<Backend = Mysql>,
{
    if let Some(duplicate) = duplicate(conn, batch).await? {
        return Ok(duplicate);
    }
    Batch::version(conn.row(versions(batch.stream)).await?)?;
    Ok(batch.refusal(actual))
}

/// The first event of the batch whose id is recorded already.
pub(super) async fn duplicate<C>(conn: &mut C, batch: &Batch<'_>) -> QueryResult<Option<AppendError>>
where
    C: Executor<Backend = Mysql>,
{
    let ids: Vec<String> = batch.events.iter().map(|event| event.id().to_string()).collect();
    for together in ids.chunks(IDS_TOGETHER) {
        let with_ids = events::table.select(events::event_id).filter(events::event_id.eq_any(together));
        // A session may have a limit of its own.
        let with_ids = with_ids.limit(i64::MAX);
        let recorded: HashSet<String> = conn.rows(with_ids).await?.into_iter().collect();
        if !recorded.is_empty() {
            return Ok(ids.iter().position(|id| recorded.contains(id)).map(|index| batch.duplicate(index)));
        }
    }
    Ok(None)
}

/// A version or a position that is taken although the row that counts it is locked. On a node of Galera,
/// which lets what other nodes have committed pass locks, the transaction has lost against another, and has
/// not been told so yet. Elsewhere the row does not agree with the events.
pub(super) async fn overtaken<C: Executor<Backend = Mysql>>(conn: &mut C, error: Error) -> Error {
    let is_of_event_id = duplicate_event_id(&error).is_some();
    match error {
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, information) if !is_of_event_id => {
            if is_galera(conn).await.unwrap_or(true) {
                Error::DatabaseError(DatabaseErrorKind::SerializationFailure, information)
            } else {
                Refused::error(NeedsRepair, information.message())
            }
        }
        error => error,
    }
}

pub(super) fn name_duplicate(batch: &Batch<'_>, error: AppendError) -> AppendError {
    let AppendError::Database(database_error) = &error else { return error };
    let Some(id) = duplicate_event_id(database_error.diesel_error()) else { return error };
    match batch.events.iter().position(|event| event.id().to_string() == id) {
        Some(event_index) => batch.duplicate(event_index),
        None => error,
    }
}
