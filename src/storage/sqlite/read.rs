use diesel::expression::{AppearsOnTable, Expression, SelectableExpression};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Text};
use diesel::sqlite::Sqlite;
use uuid::Uuid;

use super::text::TimeText;
use crate::model::event::RecordedEvent;
use crate::model::log::{LogQuery, LogSlice};
use crate::model::position::Position;
use crate::schema::sqlite::events;
use crate::storage::sql::queries::queries;
use crate::storage::sql::row::load;

macro_rules! is_one_of {
    ($column:expr, $names:expr) => {
        IsOneOf { column: $column, names: serde_json::Value::from(&$names[..]).to_string() }
    };
}

queries! { for SqliteConnection; schema: sqlite; time: TimeText; is_one_of: is_one_of }

pub(super) fn event(conn: &mut SqliteConnection, event_id: Uuid) -> QueryResult<Option<RecordedEvent>> {
    let with_id = events::table.filter(events::event_id.eq(event_id.to_string()));
    Ok(load(conn, with_id, None)?.pop())
}

/// SQLite has one writer at a time, who commits before the next begins: what a reader sees has no hole.
pub(super) fn last_position(conn: &mut SqliteConnection) -> QueryResult<Position> {
    last_position_up_to(conn, Position::END)
}

pub(super) fn log(conn: &mut SqliteConnection, query: &LogQuery, limit: i64) -> QueryResult<LogSlice> {
    // Asked before the events: whatever is committed up to there is then found.
    let complete = last_position(conn)?;
    let events = log_events(conn, query, complete, limit)?;
    Ok(LogSlice::new(events, limit, query.end(complete)))
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
