//! diesel-async's connection to MySQL or MariaDB.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use diesel::expression::QueryMetadata;
use diesel::mysql::Mysql;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::result::{Error, QueryResult};
use diesel_async::{
    AnsiTransactionManager as Manager, AsyncConnectionCore, SimpleAsyncConnection, TransactionManager,
};
use futures_core::Stream;

use super::prepared::PreparedStatements;
use crate::storage::asynchronous::in_turn::InTurn;
use crate::storage::asynchronous::server;
use crate::storage::executor::Executor;
use crate::storage::give_up::GiveUp;
use crate::storage::scope::Scope;
use crate::storage::server::Server;
use crate::storage::sql::rows::Rows;

impl Executor for InTurn<'_> {
    type Backend = Mysql;

    fn execute<Q>(&mut self, statement: Q) -> impl Future<Output = QueryResult<usize>> + Send
    where
        Q: QueryFragment<Mysql> + QueryId,
    {
        let is_known = self.depth().map(drop);
        let executed = AsyncConnectionCore::execute_returning_count(&mut *self.conn, statement);
        self.answer.of(async move {
            is_known?;
            executed.await
        })
    }

    /// Reads to the last row, also if further rows are of no interest: otherwise the next statement would meet
    /// with what goes wrong with them.
    fn load<Q, R>(&mut self, query: Q, mut rows: R) -> impl Future<Output = QueryResult<R::Output>> + Send
    where
        Q: AsQuery,
        Q::Query: QueryFragment<Mysql> + QueryId,
        Mysql: QueryMetadata<Q::SqlType>,
        R: Rows<Mysql>,
    {
        let is_known = self.depth().map(drop);
        let loading = AsyncConnectionCore::load(&mut *self.conn, query);
        self.answer.of(async move {
            is_known?;
            let mut stream = pin!(loading.await?);
            while let Some(row) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
                let row = row?;
                if !rows.is_enough() {
                    rows.add(&row).map_err(Error::DeserializationError)?;
                }
            }
            Ok(rows.finish())
        })
    }
}

impl GiveUp for InTurn<'_> {
    fn give_up(&mut self) {
        server::give_up(self.conn);
    }
}

impl Server for InTurn<'_> {
    fn depth(&mut self) -> QueryResult<u32> {
        server::depth(self.conn)
    }

    async fn begin(&mut self, sql: &str) -> QueryResult<Scope> {
        self.answer.of(server::begin(self.conn, sql)).await
    }

    async fn set_savepoint(&mut self) -> QueryResult<()> {
        self.answer.of(Manager::begin_transaction(self.conn)).await
    }

    async fn commit(&mut self) -> QueryResult<()> {
        self.answer.of(server::commit(self.conn)).await
    }

    async fn roll_back(&mut self) -> QueryResult<()> {
        self.answer.of(Manager::rollback_transaction(self.conn)).await
    }

    async fn batch(&mut self, sql: &str) -> QueryResult<()> {
        self.answer.of(SimpleAsyncConnection::batch_execute(self.conn, sql)).await
    }

    async fn pause(&mut self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// It reads to the end of what an error has cut short.
impl PreparedStatements for InTurn<'_> {
    fn forget_statements(&mut self) -> QueryResult<()> {
        Ok(())
    }
}
