use diesel::mysql::Mysql;
use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel::result::QueryResult;
use diesel::sql_types::BigInt;
use uuid::Uuid;

use super::error::kind;
use super::page::{IsHere, refuse_elsewhere};
use super::queries::AsTheyAre;
use super::{position, queries};
use crate::model::direction::Direction;
use crate::model::event::RecordedEvent;
use crate::model::log::{LogQuery, LogSlice};
use crate::model::ordering::LogOrdering;
use crate::model::position::Position;
use crate::model::stream::StreamPart;
use crate::model::stream_id::StreamId;
use crate::schema::mysql::events;
use crate::storage::error_kind::DatabaseErrorKind::OtherServer;
use crate::storage::executor::Executor;
use crate::storage::lent;
use crate::storage::read::Read;
use crate::storage::refused::Refused;
use crate::storage::server::Server;
use crate::storage::sql::row::Events;
use crate::storage::sql::statement::statement;

statement! {
    for Mysql;
    /// Readers are told no position above the one that is published, unless positions are counted.
    LastAssigned -> BigInt,
    "SELECT GREATEST(safe_position, draining_position, last_position, \
     (SELECT COALESCE(MAX(global_position), 0) FROM events)) FROM event_log WHERE id = 1"
}

impl<C: Server<Backend = Mysql>> Read for lent::Mysql<'_, C> {
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
        match page(self.0, query, limit).await {
            Err(error) if kind(&error) == OtherServer => page_of_one_server(self.0, query, limit).await,
            page => page,
        }
    }

    async fn read_event(&mut self, event_id: Uuid) -> QueryResult<Option<RecordedEvent>> {
        let with_id = events::table.filter(events::event_id.eq(event_id.to_string())).filter(AsTheyAre);
        Ok(self.0.load(with_id, Events::of_log()).await?.pop())
    }

    async fn last_position(&mut self) -> QueryResult<Position> {
        position::complete(self.0).await
    }

    async fn last_committed_position(&mut self) -> QueryResult<Position> {
        let last: Option<i64> = self.0.row(queries::last_position(Position::END)).await?;
        Ok(last.map_or(Position::START, Position::stored))
    }

    async fn last_assigned_position(&mut self) -> QueryResult<Position> {
        let last = self.0.optional_row(LastAssigned).await?;
        last.map(Position::stored).ok_or_else(Refused::without_log_row)
    }
}

/// A proxy sends all of a transaction to one server, on which the log is read up to what is published there.
const BEGIN: &str = "START TRANSACTION READ ONLY";

async fn page_of_one_server<C>(conn: &mut C, query: &LogQuery, limit: i64) -> QueryResult<LogSlice>
where
    C: Server<Backend = Mysql>,
{
    conn.begin(BEGIN).await?;
    let page = page(conn, query, limit).await;
    // Nothing was written.
    let ended = conn.roll_back().await;
    page.and_then(|page| ended.map(|()| page))
}

async fn page<C>(conn: &mut C, query: &LogQuery, limit: i64) -> QueryResult<LogSlice>
where
    C: Server<Backend = Mysql>,
{
    let log = position::look(conn).await?;
    // A reader that is far behind has no need to know where the log ends now.
    if query.direction == Direction::Forward && log.known().get() - query.from.get() >= limit {
        let events = log_events(conn, query, log.known(), log.ordering, limit).await?;
        let slice = LogSlice::new(query, events, limit, log.known());
        if !slice.is_end() {
            return Ok(slice);
        }
    }
    let complete = log.complete(conn).await?;
    let events = log_events(conn, query, complete, log.ordering, limit).await?;
    Ok(LogSlice::new(query, events, limit, query.end(complete)))
}

async fn log_events<C: Executor<Backend = Mysql>>(
    conn: &mut C,
    query: &LogQuery,
    complete: Position,
    ordering: LogOrdering,
    limit: i64,
) -> QueryResult<Vec<RecordedEvent>> {
    if query.is_at_end(complete) {
        return Ok(Vec::new());
    }
    let found = Events::of_log().up_to(query.max_bytes);
    let events = queries::log_events(query, complete).filter(IsHere::up_to(complete, ordering)).limit(limit);
    conn.load(events, found).await.map_err(|error| refuse_elsewhere(error, complete))
}
