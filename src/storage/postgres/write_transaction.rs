use diesel::pg::Pg;
use diesel::result::QueryResult;

use crate::storage::lent::Postgres;
use crate::storage::server::Server;
use crate::storage::transactions::Transactions;
use crate::storage::write_transaction::WriteTransaction;

impl<C: Server<Backend = Pg>> WriteTransaction for Postgres<'_, C> {
    async fn begin_writing(&mut self) -> QueryResult<()> {
        self.begin().await
    }

    /// PostgreSQL rolls nothing back by itself: it refuses every statement until the application does.
    async fn refuse_lost(&mut self) -> QueryResult<()> {
        Ok(())
    }

    async fn commit_written(&mut self) -> QueryResult<()> {
        self.commit().await
    }
}
