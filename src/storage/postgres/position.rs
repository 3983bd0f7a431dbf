//! Up to where the log is complete. How it is found out stands in the migration, above `event_store_enter`.

use diesel::pg::Pg;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Bool, Nullable};

use super::outside::is_outside_transactions;
use crate::model::position::Position;
use crate::storage::refused::Refused;
use crate::storage::server::Server;
use crate::storage::sql::statement::statement;

statement! {
    for Pg;
    Look -> (Nullable<BigInt>, Nullable<BigInt>, Bool),
    "SELECT complete, published, needs_new_snapshot FROM event_store_look()"
}

/// It must be asked in a statement before the one that reads the events, so that theirs is the newer
/// snapshot. In REPEATABLE READ and SERIALIZABLE it is, unless both are in one transaction.
pub(super) async fn complete<C: Server<Backend = Pg>>(conn: &mut C) -> QueryResult<Position> {
    let (complete, published, needs_new_snapshot) =
        conn.row::<_, (Option<i64>, Option<i64>, bool)>(Look).await?;
    let complete = match needs_new_snapshot && !is_outside_transactions(conn).await? {
        true => published,
        false => complete.or(published),
    };
    complete.map(Position::stored).ok_or_else(Refused::not_published)
}
