use diesel::mysql::Mysql;
use diesel::prelude::QueryDsl;
use diesel::result::QueryResult;
use diesel::sql_types::Text;

use super::all_or_nothing::{Work, all_or_nothing};
use super::guards::current;
use super::lost_row::lost_row;
use super::position;
use crate::model::ordering::LogOrdering;
use crate::model::position::Position;
use crate::schema::mysql::event_fence;
use crate::storage::executor::Executor;
use crate::storage::lent;
use crate::storage::ordering::{Ordering, OrderingError};
use crate::storage::scope::Scope;
use crate::storage::server::Server;
use crate::storage::sql::ordering::stored;
use crate::storage::sql::statement::statement;

statement! {
    for Mysql;
    /// Makes the last position that there is the one to go on from, or that which readers have come to, if the
    /// last events were removed. An UPDATE reads what is committed now, also where the application's
    /// transaction has an old snapshot.
    GoOnFromHere,
    current!(
        "UPDATE event_log CROSS JOIN (SELECT COALESCE(MAX(global_position), 0) AS last FROM events) AS log SET \
         draining_position = GREATEST(draining_position, safe_position, last_position, log.last), \
         safe_position = GREATEST(draining_position, safe_position, last_position, log.last), \
         last_position = GREATEST(draining_position, safe_position, last_position, log.last) WHERE id = 1"
    )
}

statement! {
    for Mysql;
    SetOrdering<'a> { ordering: &'a str => Text },
    current!("UPDATE event_fence SET ordering = ? WHERE slot IN (0, 1)")
}

impl<C: Server<Backend = Mysql>> Ordering for lent::Mysql<'_, C> {
    async fn log_ordering(&mut self) -> QueryResult<LogOrdering> {
        ordering(self.0).await
    }

    async fn set_log_ordering(&mut self, ordering: LogOrdering) -> Result<(), OrderingError> {
        all_or_nothing(self.0, Change(ordering)).await
    }

    /// A reader that finds out how far the log is complete publishes it.
    async fn publish_position(&mut self) -> QueryResult<Position> {
        position::complete(self.0).await
    }
}

/// Each slot has it.
async fn ordering<C: Executor<Backend = Mysql>>(conn: &mut C) -> QueryResult<LogOrdering> {
    let of_a_slot = event_fence::table.select(event_fence::ordering).limit(1);
    match conn.optional_row::<_, String>(of_a_slot).await? {
        Some(name) => stored(&name),
        None => Err(lost_row(conn).await),
    }
}

struct Change(LogOrdering);

impl<C: Executor<Backend = Mysql>> Work<C> for Change {
    type Output = ();
    type Error = OrderingError;

    /// Every append that is under way holds one of the two rows until it ends, and reads the ordering from
    /// it. So once both are written there is none, and none begins before the new ordering can be read: what
    /// is the last position now stays so.
    async fn run(&self, conn: &mut C, _: Scope) -> Result<(), OrderingError> {
        conn.execute(SetOrdering { ordering: self.0.name() }).await?;
        ordering(conn).await?;
        conn.execute(GoOnFromHere).await?;
        Ok(())
    }
}
