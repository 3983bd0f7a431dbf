use diesel::result::QueryResult;

use super::begun;
use super::commit::EndTransaction;
use crate::storage::lent::Postgres;
use crate::storage::transactions::Transactions;
use crate::storage::write_transaction::WriteTransaction;

impl<C: EndTransaction> WriteTransaction for Postgres<'_, C> {
    /// PostgreSQL only warns of a BEGIN in a transaction that was begun with SQL, and this would end that one.
    async fn begin_writing(&mut self) -> QueryResult<()> {
        self.refuse_foreign().await?;
        self.begin().await
    }

    /// A transaction that an error has aborted is still open, and PostgreSQL refuses every statement in it.
    async fn refuse_lost(&mut self) -> QueryResult<()> {
        Ok(())
    }

    async fn refuse_ended(&mut self) -> QueryResult<()> {
        begun::refuse_ended(self.0).await
    }

    async fn commit_written(&mut self) -> QueryResult<()> {
        self.commit().await
    }
}
