use uuid::Uuid;

use crate::model::log_state::LogClosed;
use crate::storage::asynchronous::awaited::awaited;
use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::storage::error::DatabaseError;
use crate::storage::log_state::LogStates;
use crate::store::asynchronous::AsyncEventStore;

impl AsyncEventStore {
    /// The id of the log: see [`EventStore::log_id`](crate::EventStore::log_id).
    ///
    /// # Errors
    ///
    /// Those of [`EventStore::log_id`](crate::EventStore::log_id).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// let store = AsyncEventStore::new();
    /// assert_eq!(store.log_id(&mut conn).await?, store.log_id(&mut conn).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn log_id<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
    ) -> Result<Uuid, DatabaseError> {
        Ok(awaited!(conn, clone(), database => database.log_row())?.log_id)
    }

    /// Why the log takes no events; `None` if it is open: see
    /// [`EventStore::log_closed`](crate::EventStore::log_closed).
    ///
    /// # Errors
    ///
    /// Those of [`EventStore::log_closed`](crate::EventStore::log_closed).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// assert!(AsyncEventStore::new().log_closed(&mut conn).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn log_closed<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
    ) -> Result<Option<LogClosed>, DatabaseError> {
        Ok(awaited!(conn, clone(), database => database.log_row())?.closed())
    }
}
