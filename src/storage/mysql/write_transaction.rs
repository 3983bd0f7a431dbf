use diesel::mysql::Mysql;
use diesel::result::QueryResult;

use super::outside::{
    ended, has_no_transaction, refuse_ended_transaction, refuse_lost_transaction, why_ended,
};
use super::prepared::PreparedStatements;
use crate::storage::lent;
use crate::storage::scope::Scope;
use crate::storage::server::Server;
use crate::storage::transactions::was_there;
use crate::storage::write_transaction::WriteTransaction;

/// With a savepoint around everything, which goes with the transaction.
const BEGIN_WRITING: &str = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION; \
                             SAVEPOINT diesel_event_store_whole";

/// Before the COMMIT, which succeeds also if there is nothing to commit any more. The server may have rolled the
/// transaction back, and the application may have gone on after the error. A node of Galera does so for the
/// sake of another node's, and does not say so if a savepoint is set or rolled back to at that moment: the
/// statements that follow succeed, each on its own.
const RELEASE_WHOLE: &str = "RELEASE SAVEPOINT diesel_event_store_whole";

const UNDO_WHOLE: &str = "ROLLBACK TO SAVEPOINT diesel_event_store_whole";

impl<C: Server<Backend = Mysql> + PreparedStatements> WriteTransaction for lent::Mysql<'_, C> {
    async fn begin_writing(&mut self) -> QueryResult<()> {
        if self.0.begin(BEGIN_WRITING).await? == Scope::Transaction {
            return Ok(());
        }
        let is_open = refuse_ended_transaction(self.0).await;
        if is_open.is_err() {
            // diesel takes note of what comes of it.
            let _ = self.0.roll_back().await;
        }
        is_open
    }

    async fn refuse_lost(&mut self) -> QueryResult<()> {
        refuse_lost_transaction(self.0).await
    }

    /// Without the savepoint, the application has ended the transaction, or the server has. Only the
    /// application begins another.
    async fn refuse_ended(&mut self) -> QueryResult<()> {
        let _ = self.0.forget_statements(); // the work may have met with an error among rows
        if self.0.depth()? > 0 {
            let is_there = was_there(self.0.batch(UNDO_WHOLE).await)?;
            if is_there || has_no_transaction(self.0).await? {
                return Ok(());
            }
        }
        Err(ended("what was begun is not open any more"))
    }

    async fn commit_written(&mut self) -> QueryResult<()> {
        match commit(self.0).await {
            Err(error) => Err(why_ended(self.0, error).await),
            Ok(()) => Ok(()),
        }
    }
}

async fn commit<C: Server<Backend = Mysql>>(conn: &mut C) -> QueryResult<()> {
    if conn.depth()? == 1 {
        conn.batch(RELEASE_WHOLE).await?;
    }
    conn.commit().await
}
