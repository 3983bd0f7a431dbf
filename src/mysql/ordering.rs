use diesel::prelude::*;
use diesel::result::Error as DieselError;

use super::transaction::all_or_nothing;
use crate::error::Error;
use crate::ordering::LogOrdering;
use crate::schema::mysql::{event_fence, event_log, events};

pub(super) fn stored(name: &str) -> QueryResult<LogOrdering> {
    LogOrdering::stored(name)
        .ok_or_else(|| DieselError::DeserializationError(format!("ordering {name:?}").into()))
}

pub(super) fn get(conn: &mut MysqlConnection) -> QueryResult<LogOrdering> {
    let name: String =
        event_fence::table.filter(event_fence::slot.eq(0)).select(event_fence::ordering).get_result(conn)?;
    stored(&name)
}

/// Every append that is under way holds one of the two rows until it ends, and reads the ordering from it. So, with both
/// rows locked, there is none, and none begins before the new ordering can be read: what is the last position now stays so.
pub(super) fn set(conn: &mut MysqlConnection, ordering: LogOrdering) -> Result<(), Error> {
    all_or_nothing(conn, |conn| {
        event_fence::table
            .select(event_fence::slot)
            .order(event_fence::slot)
            .for_update()
            .load::<i8>(conn)?;
        // A locking read, which in an old snapshot of the application's transaction sees what is committed now.
        let last: Option<i64> = events::table
            .select(events::global_position)
            .order(events::global_position.desc())
            .limit(1)
            .for_update()
            .get_result(conn)
            .optional()?;
        let last = last.unwrap_or(0);
        diesel::update(event_fence::table).set(event_fence::ordering.eq(ordering.name())).execute(conn)?;
        diesel::update(event_log::table)
            .set((
                event_log::draining_position.eq(last),
                event_log::safe_position.eq(last),
                event_log::last_position.eq(last),
            ))
            .execute(conn)?;
        Ok(())
    })
}
