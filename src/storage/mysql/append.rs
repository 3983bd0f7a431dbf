use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::mysql::Mysql;
use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel::result::{DatabaseErrorKind, Error, QueryResult};
use diesel::sql_types::{BigInt, Text};

use super::all_or_nothing::{Work, all_or_nothing};
use super::error::duplicate_event_id;
use super::fence::{self, Entry};
use super::galera::is_galera;
use super::insert::{insert_events, statement_bytes};
use crate::schema::mysql::{aggregate_heads, events};
use crate::storage::append::{Append, AppendError, Batch, Placement};
use crate::storage::executor::Executor;
use crate::storage::lent;
use crate::storage::server::Server;
use crate::storage::sql::dialect::Time;
use crate::storage::sql::statement::statement;

statement! {
    for Mysql;
    /// Moves the head of an aggregate that has events, and keeps in LAST_INSERT_ID where it was.
    AdvanceHead<'a> {
        added: i64 => BigInt,
        now: DateTime<Utc> => Time,
        aggregate_type: &'a str => Text,
        aggregate_id: &'a str => Text,
        lowest: i64 => BigInt,
        highest: i64 => BigInt,
    },
    "UPDATE aggregate_heads SET aggregate_version = LAST_INSERT_ID(aggregate_version) + ?, updated_at = ? \
     WHERE aggregate_type = ? AND aggregate_id = ? AND aggregate_version BETWEEN ? AND ?"
}

statement! {
    for Mysql;
    /// Moves the head of an aggregate, which may not have events yet. It keeps in LAST_INSERT_ID where the
    /// head was, also if it stays there: the number of affected rows does not tell. Assignments are made from
    /// left to right.
    CreateOrAdvanceHead<'a> {
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
    "INSERT INTO aggregate_heads (aggregate_type, aggregate_id, aggregate_version, updated_at) \
     VALUES (?, ?, LAST_INSERT_ID(0) + ?, ?) \
     ON DUPLICATE KEY UPDATE \
     updated_at = IF(aggregate_version BETWEEN ? AND ?, ?, updated_at), \
     aggregate_version = aggregate_version + IF(LAST_INSERT_ID(aggregate_version) BETWEEN ? AND ?, ?, 0)"
}

impl<C: Server<Backend = Mysql>> Append for lent::Mysql<'_, C> {
    async fn append(&mut self, batch: &Batch<'_>) -> Result<Placement, AppendError> {
        let write = Write { batch, statement_bytes: statement_bytes(self.0, batch).await? };
        all_or_nothing(self.0, write).await.map_err(|error| name_duplicate(batch, error))
    }
}

struct Write<'b> {
    batch: &'b Batch<'b>,
    statement_bytes: usize,
}

impl<C: Executor<Backend = Mysql>> Work<C> for Write<'_> {
    type Output = Placement;
    type Error = AppendError;

    /// The head first: it takes the row lock that keeps other appends to the aggregate out, a conflict has
    /// then written nothing, and positions follow versions.
    async fn run(&self, conn: &mut C) -> Result<Placement, AppendError> {
        let entry = move_head(conn, self.batch).await?;
        match insert_events(conn, self.batch, &entry, self.statement_bytes).await {
            Ok(positions) => Ok(Placement { previous_version: entry.last_insert_id, positions }),
            Err(error) => Err(overtaken(conn, error).await.into()),
        }
    }
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

fn create_or_advance_head<'a>(batch: &Batch<'a>) -> CreateOrAdvanceHead<'a> {
    let (lowest, highest) = batch.acceptable_versions().into_inner();
    CreateOrAdvanceHead {
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
        aggregate_type: batch.stream.aggregate_type(),
        aggregate_id: batch.stream.aggregate_id(),
        lowest,
        highest,
    }
}

/// If the head is elsewhere, where it is now is asked by a locking read: an old snapshot of the application's
/// transaction does not know. It may just have come to where it is expected, but now it stays there.
async fn advance_head<C>(conn: &mut C, batch: &Batch<'_>) -> Result<(), AppendError>
where
    C: Executor<Backend = Mysql>,
{
    while conn.execute(move_existing_head(batch)).await? == 0 {
        let actual = locked_version(conn, batch).await?;
        if !batch.acceptable_versions().contains(&actual) {
            return Err(refusal(conn, batch, actual).await?);
        }
    }
    Ok(())
}

async fn locked_version<C: Executor<Backend = Mysql>>(conn: &mut C, batch: &Batch<'_>) -> QueryResult<i64> {
    let version = aggregate_heads::table
        .filter(aggregate_heads::aggregate_type.eq(batch.stream.aggregate_type()))
        .filter(aggregate_heads::aggregate_id.eq(batch.stream.aggregate_id()))
        .select(aggregate_heads::aggregate_version)
        .for_update();
    Ok(conn.optional_row(version).await?.unwrap_or(0))
}

/// Why the head was not moved. An append that went through and is repeated finds the stream elsewhere, by its
/// own doing: that it is recorded already says more than the conflict.
async fn refusal<C>(conn: &mut C, batch: &Batch<'_>, actual: i64) -> QueryResult<AppendError>
where
    C: Executor<Backend = Mysql>,
{
    let ids = batch.events.iter().map(|event| event.id().to_string());
    let with_ids = events::table.select(events::event_id).filter(events::event_id.eq_any(ids));
    let recorded: Vec<String> = conn.rows(with_ids).await?;
    let recorded: HashSet<String> = recorded.into_iter().collect();
    let duplicate = batch.events.iter().position(|event| recorded.contains(&event.id().to_string()));
    Ok(duplicate.map_or_else(|| batch.refusal(actual), |event_index| batch.duplicate(event_index)))
}

/// A version or a position that is taken although the row that counts it is locked: on a node of Galera,
/// which lets what other nodes have committed pass locks, the transaction has lost against another. It has
/// not been told so yet.
async fn overtaken<C: Executor<Backend = Mysql>>(conn: &mut C, error: Error) -> Error {
    let is_of_event_id = duplicate_event_id(&error).is_some();
    match error {
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, information)
            if !is_of_event_id && is_galera(conn).await.unwrap_or(true) =>
        {
            Error::DatabaseError(DatabaseErrorKind::SerializationFailure, information)
        }
        error => error,
    }
}

fn name_duplicate(batch: &Batch<'_>, error: AppendError) -> AppendError {
    let AppendError::Database(database_error) = &error else { return error };
    let Some(id) = duplicate_event_id(database_error.diesel_error()) else { return error };
    match batch.events.iter().position(|event| event.id().to_string() == id) {
        Some(event_index) => batch.duplicate(event_index),
        None => error,
    }
}
