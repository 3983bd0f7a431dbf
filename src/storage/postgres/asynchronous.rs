//! diesel-async's connection to PostgreSQL.

use std::future::poll_fn;
use std::pin::pin;

use diesel::expression::QueryMetadata;
use diesel::pg::Pg;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::result::{Error, QueryResult};
use diesel_async::{
    AnsiTransactionManager as Manager, AsyncConnectionCore, AsyncPgConnection, SimpleAsyncConnection,
    TransactionManager,
};
use futures_core::Stream;

use super::commit::EndTransaction;
use crate::storage::asynchronous::server;
use crate::storage::executor::Executor;
use crate::storage::give_up::GiveUp;
use crate::storage::scope::Scope;
use crate::storage::server::Server;
use crate::storage::sql::rows::Rows;

impl Executor for AsyncPgConnection {
    type Backend = Pg;

    fn execute<Q>(&mut self, statement: Q) -> impl Future<Output = QueryResult<usize>> + Send
    where
        Q: QueryFragment<Pg> + QueryId,
    {
        let is_known = self.depth().map(drop);
        let executed = AsyncConnectionCore::execute_returning_count(self, statement);
        async move {
            is_known?;
            executed.await
        }
    }

    fn load<Q, R>(&mut self, query: Q, mut rows: R) -> impl Future<Output = QueryResult<R::Output>> + Send
    where
        Q: AsQuery,
        Q::Query: QueryFragment<Pg> + QueryId,
        Pg: QueryMetadata<Q::SqlType>,
        R: Rows<Pg>,
    {
        let is_known = self.depth().map(drop);
        let loading = AsyncConnectionCore::load(self, query);
        async move {
            is_known?;
            let mut stream = pin!(loading.await?);
            while let Some(row) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
                rows.add(&row?).map_err(Error::DeserializationError)?;
                if rows.is_enough() {
                    break;
                }
            }
            Ok(rows.finish())
        }
    }
}

impl GiveUp for AsyncPgConnection {
    fn give_up(&mut self) {
        server::give_up(self);
    }
}

impl Server for AsyncPgConnection {
    fn depth(&mut self) -> QueryResult<u32> {
        server::depth(self)
    }

    async fn begin(&mut self, sql: &str) -> QueryResult<Scope> {
        server::begin(self, sql).await
    }

    async fn set_savepoint(&mut self) -> QueryResult<()> {
        Manager::begin_transaction(self).await
    }

    async fn commit(&mut self) -> QueryResult<()> {
        server::commit(self).await
    }

    async fn roll_back(&mut self) -> QueryResult<()> {
        Manager::rollback_transaction(self).await
    }

    async fn batch(&mut self, sql: &str) -> QueryResult<()> {
        SimpleAsyncConnection::batch_execute(self, sql).await
    }

    #[cfg(feature = "_mysql")]
    async fn pause(&mut self, duration: std::time::Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl EndTransaction for AsyncPgConnection {
    async fn end_transaction(&mut self, sql: &str) -> QueryResult<()> {
        server::end_transaction(self, sql).await
    }
}
