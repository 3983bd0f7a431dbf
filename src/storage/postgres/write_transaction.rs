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

    async fn commit_written(&mut self) -> QueryResult<()> {
        self.commit().await
    }
}
