use crate::storage::asynchronous::awaited::awaited;
use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::storage::migrations::{MigrationError, Migrations};

/// [`run_pending_migrations`](crate::run_pending_migrations) on a connection that is awaited: applies the
/// event store's migrations that the database does not have yet, and returns their versions. It blocks no
/// thread of the runtime.
///
/// # Errors
///
/// Those of [`run_pending_migrations`](crate::run_pending_migrations).
///
/// ```
/// use diesel::sqlite::SqliteConnection;
/// use diesel_async::AsyncConnection;
/// use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
/// use diesel_event_store::async_run_pending_migrations;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = SyncConnectionWrapper::<SqliteConnection>::establish(":memory:").await?;
/// assert_eq!(async_run_pending_migrations(&mut conn).await?, ["00000000000100des"]);
/// assert!(async_run_pending_migrations(&mut conn).await?.is_empty());
/// # Ok(())
/// # }
/// ```
pub async fn async_run_pending_migrations<C>(conn: &mut C) -> Result<Vec<String>, MigrationError>
where
    C: AsyncEventConnection + ?Sized,
{
    awaited!(conn, clone(), database => database.run_pending_migrations())
}
