use diesel::mysql::Mysql;
use diesel::result::QueryResult;

use super::all_or_nothing::BEGIN;
use super::interrupted::PreparedStatements;
use crate::storage::lent;
use crate::storage::server::Server;
use crate::storage::transactions::Transactions;
use crate::storage::write_transaction::WriteTransaction;

impl<C: Server<Backend = Mysql> + PreparedStatements> WriteTransaction for lent::Mysql<'_, C> {
    async fn begin_writing(&mut self) -> QueryResult<()> {
        self.0.begin(BEGIN).await.map(drop)
    }

    async fn commit_written(&mut self) -> QueryResult<()> {
        self.commit().await
    }
}
