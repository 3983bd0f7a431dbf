use diesel::mysql::Mysql;
use diesel::result::QueryResult;

use super::outside::refuse_lost_transaction;
use super::prepared::PreparedStatements;
use crate::storage::lent;
use crate::storage::server::Server;
use crate::storage::sql::statement::statement;
use crate::storage::write_transaction::WriteTransaction;

/// With a savepoint around everything, which goes with the transaction.
const BEGIN_WRITING: &str = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION; \
                             SAVEPOINT diesel_event_store_whole";

statement! {
    for Mysql;
    /// Before the COMMIT, which succeeds also if there is nothing to commit any more. A node of Galera rolls
    /// a transaction back for the sake of another node's, and does not say so if a savepoint is set or rolled
    /// back to at that moment: the statements that follow succeed, each on its own. MySQL, which does not
    /// prepare this, always says so.
    ReleaseWhole,
    "/*M! RELEASE SAVEPOINT diesel_event_store_whole */ /*!80017 DO 0 */"
}

impl<C: Server<Backend = Mysql> + PreparedStatements> WriteTransaction for lent::Mysql<'_, C> {
    async fn begin_writing(&mut self) -> QueryResult<()> {
        self.0.begin(BEGIN_WRITING).await.map(drop)
    }

    async fn refuse_lost(&mut self) -> QueryResult<()> {
        refuse_lost_transaction(self.0).await
    }

    async fn commit_written(&mut self) -> QueryResult<()> {
        if self.0.depth()? == 1 {
            self.0.execute(ReleaseWhole).await?;
        }
        self.0.commit().await
    }
}
