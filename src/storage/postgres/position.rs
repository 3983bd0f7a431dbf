//! Up to where the log is complete. How it is found out stands in the migration, at `event_store_set_ordering`.

use diesel::prelude::*;

use crate::model::position::Position;
use crate::schema::postgres::event_log;
use crate::storage::error::NotPublished;

#[diesel::declare_sql_function]
extern "SQL" {
    /// The position up to which no event can be added any more. It must be asked in a statement before the one that reads the
    /// events, so that theirs is the newer snapshot.
    fn event_store_safe_position() -> Nullable<BigInt>;
}

pub(super) fn complete(conn: &mut PgConnection) -> QueryResult<Position> {
    let position: Option<i64> = diesel::select(event_store_safe_position()).get_result(conn)?;
    Ok(Position::stored(position.ok_or(NotPublished)?))
}

/// It is committed, and replicated, after everything that it says is complete. So whoever sees it sees that, too: also on a
/// standby, and in any snapshot.
pub(super) fn publish(conn: &mut PgConnection) -> QueryResult<Position> {
    let complete = complete(conn)?;
    let behind = event_log::table
        .filter(event_log::published_position.is_null().or(event_log::published_position.lt(complete.get())));
    diesel::update(behind).set(event_log::published_position.eq(complete.get())).execute(conn)?;
    Ok(complete)
}
