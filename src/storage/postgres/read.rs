use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::position;
use crate::model::event::RecordedEvent;
use crate::model::log::{LogQuery, LogSlice};
use crate::model::position::Position;
use crate::schema::postgres::events;
use crate::storage::sql::queries::queries;
use crate::storage::sql::row::load;

/// `= ANY ($1)`: the same statement for any number of names.
macro_rules! is_one_of {
    ($column:expr, $names:expr) => {
        $column.eq_any($names)
    };
}

queries! { for PgConnection; schema: postgres; time: DateTime<Utc>; is_one_of: is_one_of }

pub(super) fn event(conn: &mut PgConnection, event_id: Uuid) -> QueryResult<Option<RecordedEvent>> {
    Ok(load(conn, events::table.filter(events::event_id.eq(event_id)), None)?.pop())
}

/// After a crash PostgreSQL may give out positions again that were given out but never committed, so a position is the end of
/// the log only if there is an event at it.
pub(super) fn last_position(conn: &mut PgConnection) -> QueryResult<Position> {
    let complete = position::complete(conn)?;
    last_position_up_to(conn, complete)
}

pub(super) fn log(conn: &mut PgConnection, query: &LogQuery, limit: i64) -> QueryResult<LogSlice> {
    let complete = position::complete(conn)?;
    if query.is_at_end(complete) {
        return Ok(LogSlice::new(Vec::new(), limit, query.from));
    }
    let events = log_events(conn, query, complete, limit)?;
    let last = if query.filter.is_empty() {
        events.last().map_or(query.from, RecordedEvent::position)
    } else {
        last_position_up_to(conn, complete)?
    };
    Ok(LogSlice::new(events, limit, query.end(last)))
}
