use std::ops::RangeInclusive;

use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use uuid::Uuid;

use super::error::is_duplicate_event_id;
use super::read;
use super::statement::statement;
use super::text::time_text;
use super::transaction::all_or_nothing;
use crate::backend::{Batch, Placement};
use crate::error::AppendError;
use crate::event::NewEvent;
use crate::expected_version::{Conflict, ExpectedVersion};
use crate::invalid::{InvalidInput, Problem};
use crate::json::Json;
use crate::position::Position;
use crate::stream_id::StreamId;

statement! {
    /// Moves the head of an aggregate that has events.
    AdvanceHead<'a> {
        added: i64 => BigInt,
        now: &'a str => Text,
        aggregate_type: &'a str => Text,
        aggregate_id: &'a str => Text,
        lowest: i64 => BigInt,
        highest: i64 => BigInt,
    },
    "UPDATE aggregate_heads SET aggregate_version = aggregate_version + ?, updated_at = ? \
     WHERE aggregate_type = ? AND aggregate_id = ? AND aggregate_version BETWEEN ? AND ?"
}

statement! {
    /// Moves the head of an aggregate, which may not have events yet. SELECT for the same reason as below; SQLite's
    /// parser wants a WHERE between it and ON CONFLICT.
    CreateOrAdvanceHead<'a> {
        aggregate_type: &'a str => Text,
        aggregate_id: &'a str => Text,
        added: i64 => BigInt,
        now: &'a str => Text,
        lowest: i64 => BigInt,
        highest: i64 => BigInt,
    },
    "INSERT INTO aggregate_heads (aggregate_type, aggregate_id, aggregate_version, updated_at) \
     SELECT ?, ?, ?, ? WHERE true \
     ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE \
     SET aggregate_version = aggregate_version + excluded.aggregate_version, updated_at = excluded.updated_at \
     WHERE aggregate_version BETWEEN ? AND ?"
}

statement! {
    /// SELECT and not VALUES: SQLite then keeps a journal for this statement alone, so that a full disk undoes it and not
    /// the whole transaction around it.
    InsertEvent<'a> {
        aggregate_type: &'a str => Text,
        aggregate_id: &'a str => Text,
        aggregate_version: i64 => BigInt,
        event_id: &'a str => Text,
        event_type: &'a str => Text,
        event_version: i32 => Integer,
        payload: &'a str => Text,
        metadata: Option<&'a str> => Nullable<Text>,
        trace_id: Option<&'a str> => Nullable<Text>,
        correlation_id: Option<&'a str> => Nullable<Text>,
        causation_id: Option<&'a str> => Nullable<Text>,
        created_at: &'a str => Text,
    },
    "INSERT INTO events (aggregate_type, aggregate_id, aggregate_version, event_id, event_type, event_version, \
     payload, metadata, trace_id, correlation_id, causation_id, created_at) \
     SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// The position of the row this connection has inserted last.
    fn last_insert_rowid() -> BigInt;
}

/// The head first: it takes the write lock, a conflict has then written nothing, and positions follow versions.
pub(super) fn append(conn: &mut SqliteConnection, batch: &Batch<'_>) -> Result<Placement, AppendError> {
    all_or_nothing(conn, |conn| {
        if !move_head(conn, batch)? {
            return Err(refusal(conn, batch)?);
        }
        let previous_version = previous_version(conn, batch)?;
        let positions = insert_events(conn, batch, previous_version)?;
        Ok(Placement { previous_version, positions })
    })
}

/// Whether the aggregate was where it is expected.
fn move_head(conn: &mut SqliteConnection, batch: &Batch<'_>) -> QueryResult<bool> {
    let (aggregate_type, aggregate_id) = (batch.stream.aggregate_type(), batch.stream.aggregate_id());
    let (added, now) = (batch.len(), &*time_text(batch.now));
    let (lowest, highest) = acceptable_versions(batch).into_inner();
    let moved = if batch.expected.allows(0) {
        CreateOrAdvanceHead { aggregate_type, aggregate_id, added, now, lowest, highest }.execute(conn)?
    } else {
        AdvanceHead { added, now, aggregate_type, aggregate_id, lowest, highest }.execute(conn)?
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

/// The versions from which a head that exists may be moved. None of them would overflow.
fn acceptable_versions(batch: &Batch<'_>) -> RangeInclusive<i64> {
    let highest = i64::MAX - batch.len();
    match batch.expected {
        ExpectedVersion::Any => 0..=highest,
        ExpectedVersion::NoStream => 0..=0,
        ExpectedVersion::StreamExists => 1..=highest,
        ExpectedVersion::Exact(version) => version..=version.min(highest),
    }
}

/// Why the head was not moved.
fn refusal(conn: &mut SqliteConnection, batch: &Batch<'_>) -> QueryResult<AppendError> {
    let actual = read::version(conn, batch.stream)?;
    if batch.expected.allows(actual) {
        let problem = Problem::VersionOverflow { version: actual, events: batch.events.len() };
        return Ok(InvalidInput::new("events", problem).into());
    }
    Ok(Conflict { stream: batch.stream.clone(), expected: batch.expected, actual }.into())
}

fn insert_events(
    conn: &mut SqliteConnection,
    batch: &Batch<'_>,
    previous_version: i64,
) -> Result<Vec<Position>, AppendError> {
    let now = time_text(batch.now);
    for (event_index, (event, nth)) in batch.events.iter().zip(1..).enumerate() {
        insert_event(conn, batch.stream, previous_version + nth, event, &now)
            .map_err(|error| insert_error(error, event, event_index))?;
    }
    // Nobody else writes between BEGIN and COMMIT, and AUTOINCREMENT counts in steps of one: asking once is enough.
    let last: i64 = diesel::select(last_insert_rowid()).get_result(conn)?;
    Ok((last - batch.len() + 1..=last).map(Position::stored).collect())
}

fn insert_event(
    conn: &mut SqliteConnection,
    stream: &StreamId,
    version: i64,
    event: &NewEvent,
    now: &str,
) -> QueryResult<usize> {
    let content = &event.content;
    let own_time = event.created_at.map(time_text);
    InsertEvent {
        aggregate_type: stream.aggregate_type(),
        aggregate_id: stream.aggregate_id(),
        aggregate_version: version,
        event_id: content.event_id.hyphenated().encode_lower(&mut Uuid::encode_buffer()),
        event_type: &content.event_type,
        event_version: content.event_version,
        payload: content.payload.as_str(),
        metadata: content.metadata.as_ref().map(Json::as_str),
        trace_id: content.trace_id.as_deref(),
        correlation_id: content.correlation_id.as_deref(),
        causation_id: content.causation_id.as_deref(),
        created_at: own_time.as_deref().unwrap_or(now),
    }
    .execute(conn)
}

fn insert_error(error: Error, event: &NewEvent, event_index: usize) -> AppendError {
    if is_duplicate_event_id(&error) {
        return AppendError::DuplicateEventId { event_id: event.id(), event_index };
    }
    error.into()
}
