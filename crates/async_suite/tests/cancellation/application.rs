//! The application's own transaction, as diesel-async runs it.

use diesel_async::{AsyncConnection, SimpleAsyncConnection, TransactionManager};
use real::AsyncEventConnection;

use super::operation::{Operation, Run};

pub async fn begin<C: AsyncConnection>(conn: &mut C) -> diesel::QueryResult<()> {
    C::TransactionManager::begin_transaction(conn).await
}

pub async fn commit<C: AsyncConnection>(conn: &mut C) -> diesel::QueryResult<()> {
    C::TransactionManager::commit_transaction(conn).await
}

pub async fn insert<C: SimpleAsyncConnection>(conn: &mut C, name: &str) -> diesel::QueryResult<()> {
    conn.batch_execute(&format!("INSERT INTO app_rows (name) VALUES ('{name}')")).await
}

/// An open transaction alone is none of the reasons for it.
pub fn is_marked_as_broken<C: AsyncConnection>(conn: &mut C) -> bool {
    C::TransactionManager::transaction_manager_status_mut(conn).transaction_depth().is_err()
}

/// A whole one, with a row and an operation in it.
pub async fn transaction<C>(conn: &mut C, operation: Operation, run: &Run) -> Result<(), real::Error>
where
    C: AsyncConnection + AsyncEventConnection,
{
    begin(conn).await?;
    insert(conn, "row").await?;
    operation.run(conn, run).await?;
    Ok(commit(conn).await?)
}
