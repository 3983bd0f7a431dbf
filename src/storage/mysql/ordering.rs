use diesel::prelude::*;
use diesel::result::Error as DieselError;

use super::transaction::all_or_nothing;
use crate::model::ordering::LogOrdering;
use crate::schema::mysql::event_fence;
use crate::storage::ordering::OrderingError;
use crate::storage::sql::statement::statement;

statement! {
    for MysqlConnection;
    /// Makes the last position that there is the one to go on from. An UPDATE reads what is committed now, also where the
    /// application's transaction has an old snapshot.
    GoOnFromHere,
    "UPDATE event_log CROSS JOIN (SELECT COALESCE(MAX(global_position), 0) AS last FROM events) AS log \
     SET draining_position = log.last, safe_position = log.last, last_position = log.last WHERE id = 1"
}

pub(super) fn stored(name: &str) -> QueryResult<LogOrdering> {
    LogOrdering::stored(name)
        .ok_or_else(|| DieselError::DeserializationError(format!("ordering {name:?}").into()))
}

pub(super) fn get(conn: &mut MysqlConnection) -> QueryResult<LogOrdering> {
    let name: String =
        event_fence::table.filter(event_fence::slot.eq(0)).select(event_fence::ordering).get_result(conn)?;
    stored(&name)
}

/// Every append that is under way holds one of the two rows until it ends, and reads the ordering from it. So once both are
/// written there is none, and none begins before the new ordering can be read: what is the last position now stays so.
pub(super) fn set(conn: &mut MysqlConnection, ordering: LogOrdering) -> Result<(), OrderingError> {
    all_or_nothing(conn, |conn| {
        diesel::update(event_fence::table).set(event_fence::ordering.eq(ordering.name())).execute(conn)?;
        GoOnFromHere.execute(conn)?;
        Ok(())
    })
}
