use diesel::connection::{AnsiTransactionManager as Manager, SimpleConnection, TransactionManager};
use diesel::result::QueryResult;

use super::transactions::{begin, why_refused};
use crate::storage::blocking;
use crate::storage::lent::Sqlite;
use crate::storage::waiting::Waiting;
use crate::storage::write_transaction::WriteTransaction;

/// IMMEDIATE waits for the write lock. A transaction that has read before it wants to write cannot wait.
/// The savepoint around everything goes with the transaction, which the application can end by SQL before
/// it begins another.
const BEGIN_WRITING: &str = "BEGIN IMMEDIATE; SAVEPOINT diesel_event_store_whole";

const RELEASE_WHOLE: &str = "RELEASE diesel_event_store_whole";

const UNDO_WHOLE: &str = "ROLLBACK TO diesel_event_store_whole";

impl WriteTransaction for Sqlite<'_> {
    async fn begin_writing(&mut self) -> QueryResult<()> {
        let _waiting = Waiting::begin();
        begin(self.0, BEGIN_WRITING).map(drop)
    }

    /// SQLite says so itself: a COMMIT or RELEASE fails.
    async fn refuse_lost(&mut self) -> QueryResult<()> {
        Ok(())
    }

    /// SQLite ends no transaction by itself with an error after which the work would be run again.
    async fn refuse_ended(&mut self) -> QueryResult<()> {
        self.0.batch_execute(UNDO_WHOLE).map_err(why_refused)
    }

    async fn commit_written(&mut self) -> QueryResult<()> {
        if blocking::depth(self.0)? == 1 {
            self.0.batch_execute(RELEASE_WHOLE).map_err(why_refused)?;
        }
        Manager::commit_transaction(self.0).map_err(why_refused)
    }
}
