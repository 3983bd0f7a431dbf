use diesel::dsl::max;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Text};
use diesel::sqlite::Sqlite;
use uuid::Uuid;

use super::row::load;
use crate::direction::Direction;
use crate::event::RecordedEvent;
use crate::log::{LogQuery, LogSlice};
use crate::position::Position;
use crate::schema::sqlite::{aggregate_heads, events};
use crate::stream::StreamPart;
use crate::stream_id::StreamId;

/// With `get_result`: `first` binds a LIMIT, and SQLite prepares a statement with a bound LIMIT again at each execution.
pub(super) fn version(conn: &mut SqliteConnection, stream: &StreamId) -> QueryResult<i64> {
    let version = aggregate_heads::table
        .filter(aggregate_heads::aggregate_type.eq(stream.aggregate_type()))
        .filter(aggregate_heads::aggregate_id.eq(stream.aggregate_id()))
        .select(aggregate_heads::aggregate_version)
        .get_result(conn)
        .optional()?;
    Ok(version.unwrap_or(0))
}

pub(super) fn event(conn: &mut SqliteConnection, event_id: Uuid) -> QueryResult<Option<RecordedEvent>> {
    let with_id = events::table.filter(events::event_id.eq(event_id.to_string()));
    Ok(load(conn, with_id, None)?.pop())
}

/// SQLite has one writer at a time, who commits before the next begins: what a reader sees has no hole.
pub(super) fn last_position(conn: &mut SqliteConnection) -> QueryResult<Position> {
    let last: Option<i64> = events::table.select(max(events::global_position)).get_result(conn)?;
    Ok(last.map_or(Position::START, Position::stored))
}

pub(super) fn stream(
    conn: &mut SqliteConnection,
    stream: &StreamId,
    part: StreamPart,
) -> QueryResult<Vec<RecordedEvent>> {
    let events_of_part = events::table
        .filter(events::aggregate_type.eq(stream.aggregate_type()))
        .filter(events::aggregate_id.eq(stream.aggregate_id()))
        .filter(events::aggregate_version.between(part.from, part.to));
    match part.direction {
        Direction::Forward => load(conn, events_of_part.order(events::aggregate_version.asc()), Some(stream)),
        Direction::Backward => {
            load(conn, events_of_part.order(events::aggregate_version.desc()), Some(stream))
        }
    }
}

pub(super) fn log(conn: &mut SqliteConnection, query: &LogQuery, limit: i64) -> QueryResult<LogSlice> {
    // Asked before the events: whatever is committed up to there is then found.
    let end = match query.direction {
        Direction::Forward => last_position(conn)?.max(query.from),
        Direction::Backward => Position::START,
    };
    let mut events = events::table.into_boxed().limit(limit);
    events = match query.direction {
        Direction::Forward => events
            .filter(events::global_position.gt(query.from.get()))
            .filter(events::global_position.le(end.get()))
            .order(events::global_position.asc()),
        Direction::Backward => {
            events.filter(events::global_position.lt(query.from.get())).order(events::global_position.desc())
        }
    };
    if let Some(names) = &query.aggregate_types {
        events = events.filter(is_one_of(events::aggregate_type, names));
    }
    if let Some(names) = &query.event_types {
        events = events.filter(is_one_of(events::event_type, names));
    }
    if let Some(correlation_id) = &query.correlation_id {
        events = events.filter(events::correlation_id.eq(correlation_id));
    }
    Ok(LogSlice::new(load(conn, events, None)?, limit, end))
}

fn is_one_of<C>(column: C, names: &[String]) -> IsOneOf<C> {
    IsOneOf { column, names: serde_json::Value::from(names).to_string() }
}

/// Whether a column has one of several values, which travel as one JSON array: unlike `eq_any`, the statement is the same
/// for any number of them, and stays prepared.
#[derive(Debug, QueryId, diesel::expression::ValidGrouping)]
struct IsOneOf<C> {
    column: C,
    names: String,
}

impl<C: Expression> Expression for IsOneOf<C> {
    type SqlType = Bool;
}

impl<C, QS> SelectableExpression<QS> for IsOneOf<C> where C: SelectableExpression<QS> {}
impl<C, QS> AppearsOnTable<QS> for IsOneOf<C> where C: AppearsOnTable<QS> {}

impl<C: QueryFragment<Sqlite>> QueryFragment<Sqlite> for IsOneOf<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IN (SELECT value FROM json_each(");
        out.push_bind_param::<Text, _>(&self.names)?;
        out.push_sql("))");
        Ok(())
    }
}
