//! How operations reach a database. Their bodies are written once, as `async fn`, so that connections that
//! block and connections that are awaited can run them. On a connection that blocks no future ever waits, and
//! [`now`](super::now::now) runs the operation to its end.

use diesel::backend::Backend;
use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::result::{Error, QueryResult};

use crate::storage::sql::rows::{All, First, Rows};

/// A connection, as far as statements are concerned.
pub(crate) trait Executor: Send {
    type Backend: Backend;

    /// How many rows were affected. The binds are collected before this returns, so the future does not hold
    /// the statement.
    fn execute<Q>(&mut self, statement: Q) -> impl Future<Output = QueryResult<usize>> + Send
    where
        Q: QueryFragment<Self::Backend> + QueryId;

    /// Hands each row to `rows`, and returns what was made of them.
    fn load<Q, R>(&mut self, query: Q, rows: R) -> impl Future<Output = QueryResult<R::Output>> + Send
    where
        Q: AsQuery,
        Q::Query: QueryFragment<Self::Backend> + QueryId,
        Self::Backend: QueryMetadata<Q::SqlType>,
        R: Rows<Self::Backend>;

    fn rows<Q, T>(&mut self, query: Q) -> impl Future<Output = QueryResult<Vec<T>>> + Send
    where
        Q: AsQuery,
        Q::Query: QueryFragment<Self::Backend> + QueryId,
        Self::Backend: QueryMetadata<Q::SqlType>,
        T: FromSqlRow<Q::SqlType, Self::Backend> + Send,
    {
        self.load(query, All::<Q::SqlType, T>::default())
    }

    /// The first row, if there is one.
    fn optional_row<Q, T>(&mut self, query: Q) -> impl Future<Output = QueryResult<Option<T>>> + Send
    where
        Q: AsQuery,
        Q::Query: QueryFragment<Self::Backend> + QueryId,
        Self::Backend: QueryMetadata<Q::SqlType>,
        T: FromSqlRow<Q::SqlType, Self::Backend> + Send,
    {
        self.load(query, First::<Q::SqlType, T>::default())
    }

    /// The first row, of a query that always returns one.
    fn row<Q, T>(&mut self, query: Q) -> impl Future<Output = QueryResult<T>> + Send
    where
        Q: AsQuery,
        Q::Query: QueryFragment<Self::Backend> + QueryId,
        Self::Backend: QueryMetadata<Q::SqlType>,
        T: FromSqlRow<Q::SqlType, Self::Backend> + Send,
    {
        let row = self.optional_row(query);
        async { row.await?.ok_or(Error::NotFound) }
    }
}
