use diesel::mysql::Mysql;
use diesel::result::QueryResult;

use super::error::classify;
use super::outside::{has_no_transaction, refuse_endless_transaction};
use super::prepared::PreparedStatements;
use crate::storage::error_kind::DatabaseErrorKind::{Deadlock, Locked};
use crate::storage::lent;
use crate::storage::server::{Server, roll_back_to, undo};
use crate::storage::transactions::{Transactions, was_there};

impl<C: Server<Backend = Mysql> + PreparedStatements> Transactions for lent::Mysql<'_, C> {
    async fn has_one_writer(&mut self) -> bool {
        false
    }

    async fn depth(&mut self) -> QueryResult<u32> {
        self.0.depth()
    }

    /// One that is open, `begin` refuses.
    async fn refuse_foreign(&mut self) -> QueryResult<()> {
        refuse_endless_transaction(self.0).await
    }

    /// In the application's isolation level, since its handlers run in it. The server refuses the first
    /// statement, too, while a transaction is open.
    async fn begin(&mut self) -> QueryResult<()> {
        self.0.begin("SET TRANSACTION READ WRITE; START TRANSACTION").await.map(drop)
    }

    async fn commit(&mut self) -> QueryResult<()> {
        self.0.commit().await
    }

    /// What is to be rolled back may have met with an error among rows. The statements are forgotten before the
    /// rollback: if the transaction is gone, the rollback or the look after it finds that out.
    async fn roll_back_to(&mut self, depth: u32) {
        if self.0.depth().is_ok_and(|open| open > depth) {
            let _ = self.0.forget_statements();
            roll_back_to(self.0, depth).await;
        }
    }

    async fn begin_loan(&mut self) -> QueryResult<()> {
        self.0.set_savepoint().await
    }

    async fn end_loan(&mut self) -> QueryResult<bool> {
        was_there(self.0.commit().await)
    }

    async fn undo_loan(&mut self) -> QueryResult<bool> {
        let _ = self.0.forget_statements(); // a savepoint that is gone is found out next
        was_there(undo(self.0).await)
    }

    /// After a deadlock, and after a lock timeout with innodb_rollback_on_timeout. If a transaction is
    /// open, the application has begun it, after it has ended the other.
    async fn has_rolled_back(&mut self, message: &str) -> QueryResult<bool> {
        Ok(matches!(classify(message), Some(Deadlock | Locked)) && has_no_transaction(self.0).await?)
    }
}
