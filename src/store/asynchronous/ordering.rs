use crate::model::ordering::LogOrdering;
use crate::model::position::Position;
use crate::model::repaired::Repaired;
use crate::storage::asynchronous::awaited::awaited;
use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::storage::error::DatabaseError;
use crate::storage::ordering::{Ordering, OrderingError};
use crate::storage::read::ReadError;
use crate::storage::repair::Repair;
use crate::store::asynchronous::AsyncEventStore;

impl AsyncEventStore {
    /// How the database assigns positions now: see
    /// [`EventStore::log_ordering`](crate::EventStore::log_ordering).
    ///
    /// # Errors
    ///
    /// [`OrderingError::Database`]: the database refused or failed.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// assert_eq!(store.log_ordering(&mut conn).await?, LogOrdering::Gapless);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn log_ordering<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
    ) -> Result<LogOrdering, OrderingError> {
        Ok(awaited!(conn, clone(), database => database.log_ordering())?)
    }

    /// Changes how the database assigns positions: see
    /// [`EventStore::set_log_ordering`](crate::EventStore::set_log_ordering).
    ///
    /// # Errors
    ///
    /// Those of [`EventStore::set_log_ordering`](crate::EventStore::set_log_ordering).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// store.set_log_ordering(&mut conn, LogOrdering::Gapless).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_log_ordering<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
        ordering: LogOrdering,
    ) -> Result<(), OrderingError> {
        awaited!(conn, clone(), database => database.set_log_ordering(ordering))
    }

    /// Publishes the position up to which the log is complete: see
    /// [`EventStore::publish_position`](crate::EventStore::publish_position).
    ///
    /// # Errors
    ///
    /// [`ReadError::Database`]: the database refused or failed, for instance because it is a standby.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// assert_eq!(store.publish_position(&mut conn).await?, Position::START);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn publish_position<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
    ) -> Result<Position, ReadError> {
        Ok(awaited!(conn, clone(), database => database.publish_position())?)
    }

    /// Sets what has to agree with the events: see [`EventStore::repair`](crate::EventStore::repair).
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]: the database refused or failed, and nothing was changed.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// assert_eq!(store.repair(&mut conn).await?.heads(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn repair<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
    ) -> Result<Repaired, DatabaseError> {
        Ok(awaited!(conn, clone(), database => database.repair())?)
    }
}
