use diesel::pg::Pg;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::model::log_status::LogHolder;
use crate::model::position::Position;
use crate::storage::executor::Executor;
use crate::storage::lent::Postgres;
use crate::storage::log_holders::{LogHolders, holder};
use crate::storage::sql::statement::statement;

statement! {
    for Pg;
    /// Who holds a lock that says "what I append lies above a position" which is below this one. A prepared
    /// transaction has no process; it is known by the lock on its own number.
    SelectHolders { committed: i64 => BigInt } -> (Nullable<BigInt>, Nullable<Text>, Nullable<BigInt>),
    "SELECT held.pid::BIGINT, coalesce(NULLIF(activity.application_name, ''), prepared.gid), \
     CAST(extract(epoch FROM coalesce(activity.xact_start, prepared.prepared)) * 1000 AS BIGINT) \
     FROM pg_locks AS held \
     LEFT JOIN pg_stat_activity AS activity ON activity.pid = held.pid \
     LEFT JOIN pg_locks AS own ON held.pid IS NULL AND own.pid IS NULL \
     AND own.virtualtransaction = held.virtualtransaction AND own.locktype = 'transactionid' \
     LEFT JOIN pg_prepared_xacts AS prepared ON prepared.transaction = own.transactionid \
     WHERE held.locktype = 'advisory' AND held.mode = 'ShareLock' AND held.objsubid = 1 \
     AND held.classid::BIGINT >> 16 = event_store_lock_space() AND held.pid IS DISTINCT FROM pg_backend_pid() \
     AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
     AND ((held.classid::BIGINT & 65535) << 32 | held.objid::BIGINT) < ? \
     ORDER BY (held.classid::BIGINT & 65535) << 32 | held.objid::BIGINT"
}

type Held = (Option<i64>, Option<String>, Option<i64>);

impl<C: Executor<Backend = Pg>> LogHolders for Postgres<'_, C> {
    async fn log_holders(&mut self, committed: Position) -> QueryResult<Vec<LogHolder>> {
        let held: Vec<Held> = self.0.rows(SelectHolders { committed: committed.get() }).await?;
        Ok(held.into_iter().map(|(process, name, since)| holder(process, name, since)).collect())
    }
}
