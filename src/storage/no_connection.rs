//! The connection that blocks of an application whose connections are all awaited: there is none.

use std::future::Ready;
#[cfg(feature = "_mysql")]
use std::time::Duration;

use diesel::expression::QueryMetadata;
#[cfg(not(feature = "_postgres"))]
use diesel::mysql::Mysql as Backend;
#[cfg(feature = "_postgres")]
use diesel::pg::Pg as Backend;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::result::QueryResult;

use crate::storage::executor::Executor;
use crate::storage::give_up::GiveUp;
use crate::storage::scope::Scope;
use crate::storage::server::Server;
use crate::storage::sql::rows::Rows;

#[derive(Debug)]
pub enum NoConnection {}

impl NoConnection {
    fn never<T>(&self) -> T {
        match *self {}
    }
}

impl Executor for NoConnection {
    type Backend = Backend;

    fn execute<Q>(&mut self, _: Q) -> impl Future<Output = QueryResult<usize>> + Send
    where
        Q: QueryFragment<Backend> + QueryId,
    {
        self.never::<Ready<_>>()
    }

    fn load<Q, R>(&mut self, _: Q, _: R) -> impl Future<Output = QueryResult<R::Output>> + Send
    where
        Q: AsQuery,
        Q::Query: QueryFragment<Backend> + QueryId,
        Backend: QueryMetadata<Q::SqlType>,
        R: Rows<Backend>,
    {
        self.never::<Ready<_>>()
    }
}

impl GiveUp for NoConnection {
    fn give_up(&mut self) {
        match *self {}
    }
}

impl Server for NoConnection {
    fn depth(&mut self) -> QueryResult<u32> {
        match *self {}
    }

    async fn begin(&mut self, _: &str) -> QueryResult<Scope> {
        match *self {}
    }

    async fn set_savepoint(&mut self) -> QueryResult<()> {
        match *self {}
    }

    async fn commit(&mut self) -> QueryResult<()> {
        match *self {}
    }

    async fn roll_back(&mut self) -> QueryResult<()> {
        match *self {}
    }

    async fn batch(&mut self, _: &str) -> QueryResult<()> {
        match *self {}
    }

    #[cfg(feature = "_mysql")]
    async fn pause(&mut self, _: Duration) {
        match *self {}
    }
}
