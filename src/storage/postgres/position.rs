//! Up to where the log is complete. How it is found out stands in the migration, at
//! `event_store_set_ordering`.

use diesel::pg::Pg;
use diesel::result::QueryResult;

use crate::model::position::Position;
use crate::storage::executor::Executor;
use crate::storage::not_published::NotPublished;

#[diesel::declare_sql_function]
extern "SQL" {
    /// The position up to which no event can be added any more. It must be asked in a statement before the
    /// one that reads the events, so that theirs is the newer snapshot.
    fn event_store_safe_position() -> Nullable<BigInt>;
}

pub(super) async fn complete<C: Executor<Backend = Pg>>(conn: &mut C) -> QueryResult<Position> {
    let position: Option<i64> = conn.row(diesel::select(event_store_safe_position())).await?;
    Ok(Position::stored(position.ok_or(NotPublished)?))
}
