//! What an append passes between its head and its events. Why it is enough stands in `position`.

use diesel::mysql::Mysql;
use diesel::result::Error::DeserializationError;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Text};

use crate::model::ordering::LogOrdering;
use crate::storage::executor::Executor;
use crate::storage::sql::ordering::stored;
use crate::storage::sql::statement::statement;

statement! {
    for Mysql;
    /// Takes a shared lock on the row of the current slot, until the transaction ends, and reads from it how
    /// positions are given out: a locking read sees what is committed now, in any isolation level. The slot
    /// itself may come from an old snapshot. The other columns only share the way.
    EnterFence -> (BigInt, BigInt, Text),
    "SELECT CAST(LAST_INSERT_ID() AS SIGNED), @@auto_increment_increment, ordering FROM event_fence \
     WHERE slot = (SELECT phase FROM event_log WHERE id = 1) LOCK IN SHARE MODE"
}

statement! {
    for Mysql;
    /// Takes so many positions. The row stays locked until the transaction ends, so positions commit in their
    /// order.
    CountPositions { added: i64 => BigInt },
    "UPDATE event_log SET last_position = LAST_INSERT_ID(last_position) + ? WHERE id = 1"
}

#[diesel::declare_sql_function]
extern "SQL" {
    #[sql_name = "LAST_INSERT_ID"]
    fn unsigned_last_insert_id() -> Unsigned<BigInt>;
}

/// An append that is inside the fence.
pub(super) struct Entry {
    /// What the statement before has kept in LAST_INSERT_ID.
    pub(super) last_insert_id: i64,
    /// From one AUTO_INCREMENT value to the next.
    pub(super) step: usize,
    pub(super) ordering: LogOrdering,
}

pub(super) async fn enter<C: Executor<Backend = Mysql>>(conn: &mut C) -> QueryResult<Entry> {
    let entry: (i64, i64, String) = conn.row(EnterFence).await?;
    let (last_insert_id, step, ordering) = entry;
    let step = usize::try_from(step).map_err(|error| DeserializationError(error.into()))?;
    Ok(Entry { last_insert_id, step, ordering: stored(&ordering)? })
}

/// The first of so many positions of the gapless ordering.
pub(super) async fn count_positions<C: Executor<Backend = Mysql>>(
    conn: &mut C,
    added: i64,
) -> QueryResult<i64> {
    conn.execute(CountPositions { added }).await?;
    Ok(last_insert_id(conn).await? + 1)
}

/// What this connection's last statement that had one has left there.
pub(super) async fn last_insert_id<C: Executor<Backend = Mysql>>(conn: &mut C) -> QueryResult<i64> {
    let id: u64 = conn.row(diesel::select(unsigned_last_insert_id())).await?;
    i64::try_from(id).map_err(|error| DeserializationError(error.into()))
}
