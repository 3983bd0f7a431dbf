use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::result::QueryResult;

use super::commit::EndTransaction;
use crate::storage::blocking::{blocking_executor, blocking_server};

blocking_executor!(PgConnection);
blocking_server!(PgConnection);

/// diesel asks libpq after each statement whether a transaction is open.
impl EndTransaction for PgConnection {
    async fn end_transaction(&mut self, sql: &str) -> QueryResult<()> {
        self.batch_execute(sql)
    }
}
