use diesel::pg::Pg;
use diesel::prelude::{BoolExpressionMethods, ExpressionMethods, QueryDsl};
use diesel::result::QueryResult;
use diesel::sql_types::Text;

use super::all_or_nothing::begin;
use super::position;
use crate::model::ordering::LogOrdering;
use crate::model::position::Position;
use crate::schema::postgres::event_log;
use crate::storage::lent::Postgres;
use crate::storage::ordering::{Ordering, OrderingError};
use crate::storage::refused::Refused;
use crate::storage::server::Server;
use crate::storage::sql::ordering::stored;
use crate::storage::sql::statement::statement;

statement! {
    for Pg;
    SetOrdering<'a> { ordering: &'a str => Text },
    "SELECT event_store_set_ordering(?)"
}

impl<C: Server<Backend = Pg>> Ordering for Postgres<'_, C> {
    async fn log_ordering(&mut self) -> QueryResult<LogOrdering> {
        let name: Option<String> = self.0.optional_row(event_log::table.select(event_log::ordering)).await?;
        stored(&name.ok_or_else(Refused::without_log_row)?)
    }

    async fn set_log_ordering(&mut self, ordering: LogOrdering) -> Result<(), OrderingError> {
        let mut open = begin(self.0).await?;
        let outcome = open.conn.execute(SetOrdering { ordering: ordering.name() }).await;
        open.end(outcome).await?;
        Ok(())
    }

    /// It is committed, and replicated, after everything that it says is complete. A reader who sees it
    /// therefore sees that, too: also on a standby, and in any snapshot.
    async fn publish_position(&mut self) -> QueryResult<Position> {
        let complete = position::complete(self.0).await?;
        let is_unpublished = event_log::published_position.is_null();
        let is_behind = event_log::published_position.lt(complete.get());
        let behind = event_log::table.filter(is_unpublished.or(is_behind));
        let publish = diesel::update(behind).set(event_log::published_position.eq(complete.get()));
        self.0.execute(publish).await?;
        Ok(complete)
    }
}
