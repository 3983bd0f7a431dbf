use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::storage::asynchronous::write_transaction;

/// [`write_transaction`](crate::write_transaction) on a connection that is awaited: runs a transaction that
/// is going to write, begun as it should be on the database at hand.
///
/// It commits if `work` returns `Ok`, and rolls back if it returns `Err`. If its future is dropped, or `work`
/// panics, the connection is marked as broken: it refuses everything from then on, and the transaction is
/// rolled back when the connection is closed, which a pool does at once.
///
/// On PostgreSQL it does not commit, either, if `work` has ignored an error of the database. On every database
/// it fails with [`TransactionEnded`](crate::DatabaseErrorKind::TransactionEnded) if `work` has ended the
/// transaction by SQL. A transaction that was begun with SQL is refused on PostgreSQL and on MySQL.
///
/// # Errors
///
/// What `work` returns, or, as `E`, diesel's error if the transaction cannot begin or commit; nothing of it
/// is in the database then, with the exceptions of [`write_transaction`](crate::write_transaction#errors).
///
/// ```
/// use diesel::sqlite::SqliteConnection;
/// use diesel_async::AsyncConnection;
/// use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
/// use diesel_event_store::{
///     AsyncEventStore, Error, ExpectedVersion, NewEvent, StreamId, async_write_transaction,
/// };
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SyncConnectionWrapper::<SqliteConnection>::establish(":memory:").await?;
/// # diesel_event_store::async_run_pending_migrations(&mut conn).await?;
/// let (store, account) = (AsyncEventStore::new(), StreamId::new("Account", 7)?);
/// async_write_transaction(&mut conn, async |conn| -> Result<(), Error> {
///     let version = store.version(conn, &account).await?;
///     let deposited = NewEvent::new("Deposited", &500)?;
///     store.append(conn, &account, ExpectedVersion::Exact(version), &[deposited]).await?;
///     Ok(())
/// })
/// .await?;
/// assert_eq!(store.version(&mut conn, &account).await?, 1);
/// # Ok(())
/// # }
/// ```
pub async fn async_write_transaction<C, T, E>(
    conn: &mut C,
    work: impl AsyncFnOnce(&mut C) -> Result<T, E>,
) -> Result<T, E>
where
    C: AsyncEventConnection + ?Sized,
    E: From<diesel::result::Error>,
{
    write_transaction::write_transaction(conn, work).await
}
