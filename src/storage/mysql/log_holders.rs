use diesel::mysql::Mysql;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Nullable};

use super::error::kind;
use crate::model::log_status::LogHolder;
use crate::model::position::Position;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::executor::Executor;
use crate::storage::lent;
use crate::storage::log_holders::{LogHolders, holder};
use crate::storage::sql::statement::statement;

statement! {
    for Mysql;
    /// Who has locked a row of `event_fence`. MariaDB only tells who has locked rows at all. InnoDB writes
    /// times in the time zone of the system, whatever that of the session is. A prepared transaction has
    /// connection 0.
    SelectHolders -> (Nullable<BigInt>, Nullable<BigInt>),
    "SELECT CAST(NULLIF(trx_mysql_thread_id, 0) AS SIGNED), TIMESTAMPDIFF(MICROSECOND, '1970-01-01', \
     CONVERT_TZ(trx_started, 'SYSTEM', '+00:00')) DIV 1000 \
     FROM information_schema.innodb_trx WHERE trx_mysql_thread_id <> CONNECTION_ID() \
     /*M! AND trx_rows_locked > 0 */ \
     /*!80017 AND trx_id IN (SELECT engine_transaction_id FROM performance_schema.data_locks \
     WHERE object_schema = DATABASE() AND object_name = 'event_fence' AND lock_type = 'RECORD') */ \
     ORDER BY trx_started LIMIT 9223372036854775807"
}

impl<C: Executor<Backend = Mysql>> LogHolders for lent::Mysql<'_, C> {
    async fn log_holders(&mut self, _committed: Position) -> QueryResult<Vec<LogHolder>> {
        let held: Vec<(Option<i64>, Option<i64>)> = match self.0.rows(SelectHolders).await {
            Ok(held) => held,
            Err(error) if kind(&error) == DatabaseErrorKind::NotPermitted => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(held.into_iter().map(|(process, since)| holder(process, None, since)).collect())
    }
}
