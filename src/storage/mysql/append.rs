use std::collections::HashSet;

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{BigInt, Datetime, Text};

use super::error::duplicate_event_id;
use super::fence::{self, Entry};
use super::galera::is_galera;
use super::insert::{insert_events, statement_bytes};
use super::time::UtcTime;
use super::transaction::all_or_nothing;
use crate::schema::mysql::{aggregate_heads, events};
use crate::storage::append::AppendError;
use crate::storage::append::{Batch, Placement};
use crate::storage::sql::statement::statement;

statement! {
    for MysqlConnection;
    /// Moves the head of an aggregate that has events, and keeps in LAST_INSERT_ID where it was.
    AdvanceHead<'a> {
        added: i64 => BigInt,
        now: UtcTime => Datetime,
        aggregate_type: &'a str => Text,
        aggregate_id: &'a str => Text,
        lowest: i64 => BigInt,
        highest: i64 => BigInt,
    },
    "UPDATE aggregate_heads SET aggregate_version = LAST_INSERT_ID(aggregate_version) + ?, updated_at = ? \
     WHERE aggregate_type = ? AND aggregate_id = ? AND aggregate_version BETWEEN ? AND ?"
}

statement! {
    for MysqlConnection;
    /// Moves the head of an aggregate, which may not have events yet. It keeps in LAST_INSERT_ID where the head was, also if
    /// it stays there: the number of affected rows does not tell. Assignments are made from left to right.
    CreateOrAdvanceHead<'a> {
        aggregate_type: &'a str => Text,
        aggregate_id: &'a str => Text,
        added: i64 => BigInt,
        now: UtcTime => Datetime,
        lowest: i64 => BigInt,
        highest: i64 => BigInt,
        then_now: UtcTime => Datetime,
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

/// The head first: it takes the row lock that keeps other appends to the aggregate out, a conflict has then written nothing,
/// and positions follow versions.
pub(super) fn append(conn: &mut MysqlConnection, batch: &Batch<'_>) -> Result<Placement, AppendError> {
    let statement_bytes = statement_bytes(conn, batch)?;
    all_or_nothing(conn, |conn| {
        let entry = move_head(conn, batch)?;
        let positions =
            insert_events(conn, batch, &entry, statement_bytes).map_err(|error| overtaken(conn, error))?;
        Ok(Placement { previous_version: entry.last_insert_id, positions })
    })
    .map_err(|error| name_duplicate(batch, error))
}

/// Moves the head from where it is expected, which is in `last_insert_id`, and enters the fence.
fn move_head(conn: &mut MysqlConnection, batch: &Batch<'_>) -> Result<Entry, AppendError> {
    if !batch.expected.allows(0) {
        advance_head(conn, batch)?;
        return Ok(fence::enter(conn)?);
    }
    create_or_advance_head(conn, batch)?;
    let entry = fence::enter(conn)?;
    if batch.acceptable_versions().contains(&entry.last_insert_id) {
        return Ok(entry);
    }
    Err(refusal(conn, batch, entry.last_insert_id)?)
}

fn create_or_advance_head(conn: &mut MysqlConnection, batch: &Batch<'_>) -> QueryResult<()> {
    let (added, now) = (batch.len(), UtcTime(batch.now));
    let (lowest, highest) = batch.acceptable_versions().into_inner();
    CreateOrAdvanceHead {
        aggregate_type: batch.stream.aggregate_type(),
        aggregate_id: batch.stream.aggregate_id(),
        added,
        now,
        lowest,
        highest,
        then_now: now,
        again_lowest: lowest,
        again_highest: highest,
        then_added: added,
    }
    .execute(conn)
    .map(drop)
}

/// If the head is elsewhere, where it is now is asked by a locking read: an old snapshot of the application's transaction
/// does not know. It may just have come to where it is expected, but now it stays there.
fn advance_head(conn: &mut MysqlConnection, batch: &Batch<'_>) -> Result<(), AppendError> {
    let (lowest, highest) = batch.acceptable_versions().into_inner();
    let advance = AdvanceHead {
        added: batch.len(),
        now: UtcTime(batch.now),
        aggregate_type: batch.stream.aggregate_type(),
        aggregate_id: batch.stream.aggregate_id(),
        lowest,
        highest,
    };
    while conn.execute_returning_count(&advance)? == 0 {
        let actual = locked_version(conn, batch)?;
        if !batch.acceptable_versions().contains(&actual) {
            return Err(refusal(conn, batch, actual)?);
        }
    }
    Ok(())
}

fn locked_version(conn: &mut MysqlConnection, batch: &Batch<'_>) -> QueryResult<i64> {
    let version = aggregate_heads::table
        .filter(aggregate_heads::aggregate_type.eq(batch.stream.aggregate_type()))
        .filter(aggregate_heads::aggregate_id.eq(batch.stream.aggregate_id()))
        .select(aggregate_heads::aggregate_version)
        .for_update()
        .get_result(conn)
        .optional()?;
    Ok(version.unwrap_or(0))
}

/// Why the head was not moved. An append that went through and is repeated finds the stream elsewhere, by its own doing:
/// that it is recorded already says more than the conflict.
fn refusal(conn: &mut MysqlConnection, batch: &Batch<'_>, actual: i64) -> QueryResult<AppendError> {
    let ids = batch.events.iter().map(|event| event.id().to_string());
    let recorded: Vec<String> =
        events::table.select(events::event_id).filter(events::event_id.eq_any(ids)).load(conn)?;
    let recorded: HashSet<String> = recorded.into_iter().collect();
    let duplicate = batch.events.iter().position(|event| recorded.contains(&event.id().to_string()));
    Ok(duplicate.map_or_else(|| batch.refusal(actual), |event_index| batch.duplicate(event_index)))
}

/// A version or a position that is taken although the row that counts it is locked: on a node of Galera, which lets what other
/// nodes have committed pass locks, the transaction has lost against another. It has not been told so yet.
fn overtaken(conn: &mut MysqlConnection, error: Error) -> Error {
    match error {
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, information)
            if duplicate_event_id(information.message()).is_none() && is_galera(conn).unwrap_or(true) =>
        {
            Error::DatabaseError(DatabaseErrorKind::SerializationFailure, information)
        }
        error => error,
    }
}

fn name_duplicate(batch: &Batch<'_>, error: AppendError) -> AppendError {
    let AppendError::Database(database_error) = &error else { return error };
    let Error::DatabaseError(_, information) = database_error.diesel_error() else { return error };
    let Some(id) = duplicate_event_id(information.message()) else { return error };
    match batch.events.iter().position(|event| event.id().to_string() == id) {
        Some(event_index) => batch.duplicate(event_index),
        None => error,
    }
}
