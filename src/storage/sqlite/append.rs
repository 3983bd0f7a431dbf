use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;

use super::error::is_duplicate_event_id;
use super::insert::insert_events;
use super::read;
use super::text::time_text;
use super::transactions::{TakeWriteLock, all_or_nothing};
use crate::model::expected_version::ExpectedVersion;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::storage::append::{Append, AppendError, Batch, Placement};
use crate::storage::lent;
use crate::storage::sql::statement::statement;
use crate::storage::sql::versions::versions;

statement! {
    for Sqlite;
    /// Moves the head of an aggregate that has events.
    AdvanceHead<'a> {
        added: i64 => BigInt,
        now: &'a str => Text,
        tenant_id: &'a str => Text,
        aggregate_type: &'a str => Text,
        aggregate_id: &'a str => Text,
        lowest: i64 => BigInt,
        highest: i64 => BigInt,
    },
    "UPDATE aggregate_heads SET aggregate_version = aggregate_version + ?, updated_at = ? \
     WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ? AND aggregate_version BETWEEN ? AND ?"
}

statement! {
    for Sqlite;
    /// Moves the head of an aggregate, which may not have events yet. SELECT for the same reason as in
    /// `InsertEvents`; SQLite's parser wants a WHERE between it and ON CONFLICT.
    CreateOrAdvanceHead<'a> {
        tenant_id: &'a str => Text,
        aggregate_type: &'a str => Text,
        aggregate_id: &'a str => Text,
        added: i64 => BigInt,
        now: &'a str => Text,
        lowest: i64 => BigInt,
        highest: i64 => BigInt,
    },
    "INSERT INTO aggregate_heads (tenant_id, aggregate_type, aggregate_id, aggregate_version, updated_at) \
     SELECT ?, ?, ?, ?, ? WHERE true \
     ON CONFLICT (tenant_id, aggregate_type, aggregate_id) DO UPDATE \
     SET aggregate_version = aggregate_version + excluded.aggregate_version, \
     updated_at = excluded.updated_at \
     WHERE aggregate_version BETWEEN ? AND ?"
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// The position of the row this connection has inserted last.
    fn last_insert_rowid() -> BigInt;
}

impl Append for lent::Sqlite<'_> {
    async fn append(&mut self, batch: &Batch<'_>) -> Result<Placement, AppendError> {
        append(self.0, batch)
    }

    /// A transaction that has read cannot wait for the write lock, so a deferred one takes it now.
    async fn lock_head(&mut self, _stream: &StreamId) -> QueryResult<()> {
        TakeWriteLock.execute(self.0).map(drop)
    }
}

pub(crate) fn append(conn: &mut SqliteConnection, batch: &Batch<'_>) -> Result<Placement, AppendError> {
    all_or_nothing(conn, |conn| write(conn, batch)).map_err(|error| name_duplicate(conn, batch, error))
}

/// The head first: it takes the write lock, a conflict has then written nothing, and positions follow
/// versions. After any other error a part may be there.
pub(crate) fn write(conn: &mut SqliteConnection, batch: &Batch<'_>) -> Result<Placement, AppendError> {
    if !move_head(conn, batch)? {
        return Err(refusal(conn, batch)?);
    }
    let previous_version = previous_version(conn, batch)?;
    insert_events(conn, batch, previous_version)?;
    Ok(Placement { previous_version, positions: positions(conn, batch)? })
}

/// Whether the aggregate was where it is expected.
fn move_head(conn: &mut SqliteConnection, batch: &Batch<'_>) -> QueryResult<bool> {
    let stream = batch.stream;
    let (tenant_id, aggregate_type, aggregate_id) =
        (stream.tenant_column(), stream.aggregate_type(), stream.aggregate_id());
    let (added, now) = (batch.len(), &*time_text(batch.now));
    let (lowest, highest) = batch.acceptable_versions().into_inner();
    let moved = if batch.expected.allows(0) {
        CreateOrAdvanceHead { tenant_id, aggregate_type, aggregate_id, added, now, lowest, highest }
            .execute(conn)?
    } else {
        AdvanceHead { added, now, tenant_id, aggregate_type, aggregate_id, lowest, highest }.execute(conn)?
    };
    Ok(moved > 0)
}

/// The version of the aggregate before its head was moved.
fn previous_version(conn: &mut SqliteConnection, batch: &Batch<'_>) -> QueryResult<i64> {
    match batch.expected {
        ExpectedVersion::NoStream => Ok(0),
        ExpectedVersion::Exact(version) => Ok(version),
        ExpectedVersion::Any | ExpectedVersion::StreamExists => {
            Ok(read::version(conn, batch.stream)? - batch.len())
        }
    }
}

/// The positions of the events that were just inserted. No other connection writes between BEGIN and COMMIT,
/// and AUTOINCREMENT counts in steps of one, so the last position tells the others.
fn positions(conn: &mut SqliteConnection, batch: &Batch<'_>) -> QueryResult<Vec<Position>> {
    let last: i64 = diesel::select(last_insert_rowid()).get_result(conn)?;
    Ok((last - batch.len() + 1..=last).map(Position::stored).collect())
}

/// Why the head was not moved. An append that went through and is repeated finds the stream elsewhere, by its
/// own doing: that it is recorded already says more than the conflict.
fn refusal(conn: &mut SqliteConnection, batch: &Batch<'_>) -> QueryResult<AppendError> {
    match duplicate(conn, batch)? {
        Some(duplicate) => Ok(duplicate),
        None => Ok(batch.refusal(Batch::version(versions(batch.stream).get_result(conn)?)?)),
    }
}

/// SQLite says that an id is recorded already, but not which one.
fn name_duplicate(conn: &mut SqliteConnection, batch: &Batch<'_>, error: AppendError) -> AppendError {
    match error {
        AppendError::Database(error) if is_duplicate_event_id(error.diesel_error()) => {
            duplicate(conn, batch).ok().flatten().unwrap_or_else(|| error.into())
        }
        other => other,
    }
}

/// The first event of the batch whose id is recorded already.
pub(super) fn duplicate(conn: &mut SqliteConnection, batch: &Batch<'_>) -> QueryResult<Option<AppendError>> {
    for (event_index, event) in batch.events.iter().enumerate() {
        if read::event(conn, event.id())?.is_some() {
            return Ok(Some(batch.duplicate(event_index)));
        }
    }
    Ok(None)
}
