use chrono::{DateTime, Utc};

use crate::storage::asynchronous::awaited::awaited;
use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::storage::error::DatabaseError;
use crate::storage::keys::Keys;
use crate::store::asynchronous::AsyncEventStore;

impl AsyncEventStore {
    /// Deletes the idempotency keys that were used before this time: see
    /// [`EventStore::delete_keys_before`](crate::EventStore::delete_keys_before).
    ///
    /// # Errors
    ///
    /// Those of [`EventStore::delete_keys_before`](crate::EventStore::delete_keys_before).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// use std::time::Duration;
    ///
    /// let a_week_ago = chrono::Utc::now() - Duration::from_secs(7 * 24 * 60 * 60);
    /// assert_eq!(AsyncEventStore::new().delete_keys_before(&mut conn, a_week_ago).await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_keys_before<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
        time: DateTime<Utc>,
    ) -> Result<usize, DatabaseError> {
        Ok(awaited!(conn, clone(), database => database.delete_keys_before(time))?)
    }
}
