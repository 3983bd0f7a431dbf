use diesel::pg::Pg;
use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel::result::QueryResult;
use diesel::sql_types::BigInt;
use uuid::Uuid;

use super::{position, queries};
use crate::model::direction::Direction;
use crate::model::event::RecordedEvent;
use crate::model::log::{LogQuery, LogSlice};
use crate::model::position::Position;
use crate::model::stream::StreamPart;
use crate::model::stream_id::StreamId;
use crate::schema::postgres::events;
use crate::storage::executor::Executor;
use crate::storage::lent::Postgres;
use crate::storage::read::Read;
use crate::storage::refused::Refused;
use crate::storage::server::Server;
use crate::storage::sql::row::Events;
use crate::storage::sql::statement::statement;

statement! {
    for Pg;
    LastAssigned -> BigInt,
    "SELECT GREATEST(event_store_given_position(), counted_position, (SELECT max(global_position) FROM events)) \
     FROM event_log"
}

impl<C: Server<Backend = Pg>> Read for Postgres<'_, C> {
    async fn version(&mut self, stream: &StreamId) -> QueryResult<i64> {
        Ok(self.0.optional_row(queries::version(stream)).await?.unwrap_or(0))
    }

    async fn read_stream(&mut self, stream: &StreamId, part: StreamPart) -> QueryResult<Vec<RecordedEvent>> {
        let mut events = self.0.load(queries::stream_events(stream, part), Events::of_stream(stream)).await?;
        if part.direction == Direction::Backward {
            events.reverse();
        }
        Ok(events)
    }

    async fn read_log(&mut self, query: &LogQuery, limit: i64) -> QueryResult<LogSlice> {
        let complete = position::complete(self.0).await?;
        if query.is_at_end(complete) {
            return Ok(LogSlice::new(query, Vec::new(), limit, query.from));
        }
        let found = Events::of_log().up_to(query.max_bytes);
        let events = self.0.load(queries::log_events(query, complete).limit(limit), found).await?;
        let last = if !query.filter.is_empty() {
            last_position(self.0, complete).await?
        } else {
            events.last().map_or(query.from, RecordedEvent::position)
        };
        Ok(LogSlice::new(query, events, limit, query.end(last)))
    }

    async fn read_event(&mut self, event_id: Uuid) -> QueryResult<Option<RecordedEvent>> {
        let with_id =
            events::table.filter(events::event_id.eq(event_id)).filter(queries::event_store_is_sound());
        Ok(self.0.load(with_id, Events::of_log()).await?.pop())
    }

    /// After a crash PostgreSQL may give out positions again that were given out but never committed, so a
    /// position is the end of the log only if there is an event at it.
    async fn last_position(&mut self) -> QueryResult<Position> {
        let complete = position::complete(self.0).await?;
        last_position(self.0, complete).await
    }

    async fn last_committed_position(&mut self) -> QueryResult<Position> {
        last_position(self.0, Position::END).await
    }

    async fn last_assigned_position(&mut self) -> QueryResult<Position> {
        let last = self.0.optional_row(LastAssigned).await?;
        last.map(Position::stored).ok_or_else(Refused::without_log_row)
    }
}

/// That of the last event at or before a position.
async fn last_position<C: Executor<Backend = Pg>>(conn: &mut C, highest: Position) -> QueryResult<Position> {
    let last: Option<i64> = conn.row(queries::last_position(highest)).await?;
    Ok(last.map_or(Position::START, Position::stored))
}
