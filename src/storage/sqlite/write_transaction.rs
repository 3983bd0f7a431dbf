use diesel::connection::SimpleConnection;
use diesel::result::QueryResult;

use super::transactions::{UNDO_LENDABLE, begin_lendable, commit_lendable, why_refused};
use crate::storage::lent::Sqlite;
use crate::storage::waiting::Waiting;
use crate::storage::write_transaction::WriteTransaction;

impl WriteTransaction for Sqlite<'_> {
    /// It waits for the write lock here. A transaction that has read before it wants to write cannot wait.
    async fn begin_writing(&mut self) -> QueryResult<()> {
        let _waiting = Waiting::begin();
        begin_lendable(self.0)
    }

    /// SQLite says so itself: a COMMIT or RELEASE fails.
    async fn refuse_lost(&mut self) -> QueryResult<()> {
        Ok(())
    }

    /// SQLite ends no transaction by itself with an error after which the work would be run again.
    async fn refuse_ended(&mut self) -> QueryResult<()> {
        self.0.batch_execute(UNDO_LENDABLE).map_err(why_refused)
    }

    async fn commit_written(&mut self) -> QueryResult<()> {
        commit_lendable(self.0)
    }
}
