//! Connections that block. They do everything at once and return a future that is ready.

use diesel::connection::{AnsiTransactionManager as Manager, LoadConnection, TransactionManager};
use diesel::expression::QueryMetadata;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::result::{Error, QueryResult};

use crate::storage::scope::Scope;
use crate::storage::sql::rows::Rows;

/// A connection of diesel's own.
pub(crate) trait Diesel: diesel::Connection<TransactionManager = Manager> {}

impl<C: diesel::Connection<TransactionManager = Manager>> Diesel for C {}

pub(crate) fn load<C, Q, R>(conn: &mut C, query: Q, mut rows: R) -> QueryResult<R::Output>
where
    C: LoadConnection,
    C::Backend: QueryMetadata<Q::SqlType>,
    Q: AsQuery,
    Q::Query: QueryFragment<C::Backend> + QueryId,
    R: Rows<C::Backend>,
{
    for row in LoadConnection::load(conn, query.as_query())? {
        rows.add(&row?).map_err(Error::DeserializationError)?;
        if rows.is_enough() {
            break;
        }
    }
    Ok(rows.finish())
}

pub(crate) fn depth<C: Diesel>(conn: &mut C) -> QueryResult<u32> {
    let status = Manager::transaction_manager_status_mut(conn);
    Ok(status.transaction_depth()?.map_or(0, Into::into))
}

pub(crate) fn begin<C: Diesel>(conn: &mut C, sql: &str) -> QueryResult<Scope> {
    match Manager::begin_transaction_sql(conn, sql) {
        Ok(()) => Ok(Scope::Transaction),
        Err(Error::AlreadyInTransaction) => Manager::begin_transaction(conn).map(|()| Scope::Savepoint),
        Err(error) => Err(error),
    }
}

/// Ends what `begin` has begun.
#[cfg(all(feature = "transfer", feature = "_blocking"))]
pub(crate) fn commit<C: Diesel>(conn: &mut C) -> QueryResult<()> {
    Manager::commit_transaction(conn)
}

/// Implements `Executor` for a connection of diesel's own. `refine` turns the error of a query that has
/// failed into the one that is reported.
macro_rules! blocking_executor {
    ($connection:ty $(, refine: $refine:path)?) => {
        impl $crate::storage::executor::Executor for $connection {
            type Backend = <$connection as diesel::Connection>::Backend;

            #[inline]
            fn execute<Q>(
                &mut self,
                statement: Q,
            ) -> impl Future<Output = diesel::result::QueryResult<usize>> + Send
            where
                Q: diesel::query_builder::QueryFragment<Self::Backend> + diesel::query_builder::QueryId,
            {
                std::future::ready(diesel::connection::Connection::execute_returning_count(self, &statement))
            }

            #[inline]
            fn load<Q, R>(
                &mut self,
                query: Q,
                rows: R,
            ) -> impl Future<Output = diesel::result::QueryResult<R::Output>> + Send
            where
                Q: diesel::query_builder::AsQuery,
                Q::Query:
                    diesel::query_builder::QueryFragment<Self::Backend> + diesel::query_builder::QueryId,
                Self::Backend: diesel::expression::QueryMetadata<Q::SqlType>,
                R: $crate::storage::sql::rows::Rows<Self::Backend>,
            {
                let loaded = $crate::storage::blocking::load(self, query, rows);
                $(let loaded = loaded.map_err(|error| $refine(self, error));)?
                std::future::ready(loaded)
            }
        }
    };
}

pub(crate) use blocking_executor;

/// Implements `Server` for a connection of diesel's own.
#[cfg(any(feature = "postgres", feature = "mysql"))]
macro_rules! blocking_server {
    ($connection:ty) => {
        /// A connection that blocks is not left in the middle.
        impl $crate::storage::give_up::GiveUp for $connection {
            fn give_up(&mut self) {}
        }

        impl $crate::storage::server::Server for $connection {
            #[inline]
            fn depth(&mut self) -> diesel::result::QueryResult<u32> {
                $crate::storage::blocking::depth(self)
            }

            async fn begin(
                &mut self,
                sql: &str,
            ) -> diesel::result::QueryResult<$crate::storage::scope::Scope> {
                $crate::storage::blocking::begin(self, sql)
            }

            async fn set_savepoint(&mut self) -> diesel::result::QueryResult<()> {
                use diesel::connection::TransactionManager;
                diesel::connection::AnsiTransactionManager::begin_transaction(self)
            }

            async fn commit(&mut self) -> diesel::result::QueryResult<()> {
                use diesel::connection::TransactionManager;
                diesel::connection::AnsiTransactionManager::commit_transaction(self)
            }

            async fn roll_back(&mut self) -> diesel::result::QueryResult<()> {
                use diesel::connection::TransactionManager;
                diesel::connection::AnsiTransactionManager::rollback_transaction(self)
            }

            async fn batch(&mut self, sql: &str) -> diesel::result::QueryResult<()> {
                diesel::connection::SimpleConnection::batch_execute(self, sql)
            }

            #[cfg(feature = "_mysql")]
            async fn pause(&mut self, duration: std::time::Duration) {
                std::thread::sleep(duration);
            }
        }
    };
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) use blocking_server;
