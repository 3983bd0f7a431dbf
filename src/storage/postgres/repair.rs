use diesel::pg::Pg;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Nullable};

use super::all_or_nothing::begin;
use crate::model::position::Position;
use crate::model::repaired::Repaired;
use crate::storage::lent::Postgres;
use crate::storage::repair::Repair;
use crate::storage::server::Server;
use crate::storage::sql::statement::statement;

statement! {
    for Pg;
    CallRepair -> (Nullable<BigInt>, Nullable<BigInt>, BigInt),
    "SELECT counted, published, heads FROM event_store_repair()"
}

impl<C: Server<Backend = Pg>> Repair for Postgres<'_, C> {
    async fn repair(&mut self) -> QueryResult<Repaired> {
        let mut open = begin(self.0).await?;
        let outcome = open.conn.row(CallRepair).await;
        let (counted, published, heads): (Option<i64>, Option<i64>, i64) = open.end(outcome).await?;
        Ok(Repaired {
            counted: counted.map(Position::stored),
            published: published.map(Position::stored),
            heads: heads.unsigned_abs(),
        })
    }
}
