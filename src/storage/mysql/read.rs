use diesel::prelude::*;
use uuid::Uuid;

use super::position;
use super::time::UtcTime;
use crate::model::direction::Direction;
use crate::model::event::RecordedEvent;
use crate::model::log::{LogQuery, LogSlice};
use crate::schema::mysql::events;
use crate::storage::sql::queries::queries;
use crate::storage::sql::row::load;

macro_rules! is_one_of {
    ($column:expr, $names:expr) => {
        $column.eq_any($names)
    };
}

queries! { for MysqlConnection; schema: mysql; time: UtcTime; is_one_of: is_one_of }

pub(super) fn event(conn: &mut MysqlConnection, event_id: Uuid) -> QueryResult<Option<RecordedEvent>> {
    let with_id = events::table.filter(events::event_id.eq(event_id.to_string()));
    Ok(load(conn, with_id, None)?.pop())
}

pub(super) fn log(conn: &mut MysqlConnection, query: &LogQuery, limit: i64) -> QueryResult<LogSlice> {
    let log = position::look(conn)?;
    // A reader that is far behind has no need to know where the log ends now.
    if query.direction == Direction::Forward && log.known().get() - query.from.get() >= limit {
        let events = log_events(conn, query, log.known(), limit)?;
        if i64::try_from(events.len()) == Ok(limit) {
            return Ok(LogSlice::new(events, limit, log.known()));
        }
    }
    let complete = log.complete(conn)?;
    let events = log_events(conn, query, complete, limit)?;
    Ok(LogSlice::new(events, limit, query.end(complete)))
}
