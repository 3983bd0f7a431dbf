use diesel::connection::{AnsiTransactionManager as Manager, TransactionManager};
use diesel::result::QueryResult;

use crate::storage::blocking;
use crate::storage::lent::Sqlite;
use crate::storage::write_transaction::WriteTransaction;

impl WriteTransaction for Sqlite<'_> {
    /// IMMEDIATE waits for the write lock. A transaction that has read before it wants to write cannot wait.
    async fn begin_writing(&mut self) -> QueryResult<()> {
        blocking::begin(self.0, "BEGIN IMMEDIATE").map(drop)
    }

    /// SQLite says so itself: a COMMIT or RELEASE fails.
    async fn refuse_lost(&mut self) -> QueryResult<()> {
        Ok(())
    }

    async fn commit_written(&mut self) -> QueryResult<()> {
        Manager::commit_transaction(self.0)
    }
}
