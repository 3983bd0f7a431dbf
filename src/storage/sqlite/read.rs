use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;
use uuid::Uuid;

use super::queries;
use crate::model::direction::Direction;
use crate::model::event::RecordedEvent;
use crate::model::log::{LogQuery, LogSlice};
use crate::model::position::Position;
use crate::model::stream::StreamPart;
use crate::model::stream_id::StreamId;
use crate::schema::sqlite::events;
use crate::storage::executor::Executor;
use crate::storage::lent;
use crate::storage::now::now;
use crate::storage::read::Read;
use crate::storage::sql::row::Events;
use crate::storage::sql::statement::statement;

statement! {
    for Sqlite;
    /// AUTOINCREMENT's own count remembers the positions of events that were removed.
    LastAssigned -> BigInt,
    "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0), \
     coalesce((SELECT max(global_position) FROM events), 0))"
}

impl Read for lent::Sqlite<'_> {
    async fn version(&mut self, stream: &StreamId) -> QueryResult<i64> {
        version(self.0, stream)
    }

    async fn read_stream(&mut self, stream: &StreamId, part: StreamPart) -> QueryResult<Vec<RecordedEvent>> {
        let mut events = self.0.load(queries::stream_events(stream, part), Events::of_stream(stream)).await?;
        if part.direction == Direction::Backward {
            events.reverse();
        }
        Ok(events)
    }

    async fn read_log(&mut self, query: &LogQuery, limit: i64) -> QueryResult<LogSlice> {
        // Asked before the events: whatever is committed up to there is then found.
        let complete = last_position(self.0)?;
        if query.is_at_end(complete) {
            return Ok(LogSlice::new(query, Vec::new(), limit, query.end(complete)));
        }
        let found = Events::of_log().up_to(query.max_bytes);
        let events = self.0.load(queries::log_events(query, complete).limit(limit), found).await?;
        Ok(LogSlice::new(query, events, limit, query.end(complete)))
    }

    async fn read_event(&mut self, event_id: Uuid) -> QueryResult<Option<RecordedEvent>> {
        event(self.0, event_id)
    }

    async fn last_position(&mut self) -> QueryResult<Position> {
        last_position(self.0)
    }

    async fn last_committed_position(&mut self) -> QueryResult<Position> {
        last_position(self.0)
    }

    async fn last_assigned_position(&mut self) -> QueryResult<Position> {
        Ok(Position::stored(now(self.0.row(LastAssigned))?))
    }
}

pub(super) fn version(conn: &mut SqliteConnection, stream: &StreamId) -> QueryResult<i64> {
    Ok(now(conn.optional_row(queries::version(stream)))?.unwrap_or(0))
}

pub(super) fn event(conn: &mut SqliteConnection, event_id: Uuid) -> QueryResult<Option<RecordedEvent>> {
    let with_id = events::table.filter(events::event_id.eq(event_id.to_string()));
    Ok(now(conn.load(with_id, Events::of_log()))?.pop())
}

/// SQLite has one writer at a time, who commits before the next begins: what a reader sees has no hole.
pub(super) fn last_position(conn: &mut SqliteConnection) -> QueryResult<Position> {
    let last: Option<i64> = now(conn.row(queries::last_position(Position::END)))?;
    Ok(last.map_or(Position::START, Position::stored))
}
