use crate::model::checkpoint::Checkpoint;
use crate::model::position::Position;
use crate::storage::asynchronous::awaited::awaited;
use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::storage::checkpoints::{CheckpointError, Checkpoints};
use crate::store::asynchronous::AsyncEventStore;
use crate::store::checkpoints::{checkpoint, delete, rewind, save};

impl AsyncEventStore {
    /// The checkpoint of a projection, if it has one: see
    /// [`EventStore::checkpoint`](crate::EventStore::checkpoint).
    ///
    /// # Errors
    ///
    /// Those of [`EventStore::checkpoint`](crate::EventStore::checkpoint).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// assert_eq!(store.checkpoint(&mut conn, "mailing list").await?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn checkpoint<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
        projection_name: &str,
    ) -> Result<Option<Checkpoint>, CheckpointError> {
        awaited!(conn, clone(projection_name: projection_name.to_owned()), database => {
            checkpoint(database, projection_name)
        })
    }

    /// All checkpoints, in the order of their projections' names: see
    /// [`EventStore::checkpoints`](crate::EventStore::checkpoints).
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Database`]: the database refused or failed.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// assert!(store.checkpoints(&mut conn).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn checkpoints<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
    ) -> Result<Vec<Checkpoint>, CheckpointError> {
        Ok(awaited!(conn, clone(), database => database.checkpoints())?)
    }

    /// Moves a projection's checkpoint forward, or creates it: see
    /// [`EventStore::save_checkpoint`](crate::EventStore::save_checkpoint).
    ///
    /// # Errors
    ///
    /// Those of [`EventStore::save_checkpoint`](crate::EventStore::save_checkpoint).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// store.save_checkpoint(&mut conn, "mailing list", Position::new(20)?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn save_checkpoint<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
        projection_name: &str,
        position: Position,
    ) -> Result<(), CheckpointError> {
        awaited!(conn, clone(projection_name: projection_name.to_owned()), database => {
            save(database, projection_name, position)
        })
    }

    /// Sets a projection's checkpoint to a position, also backward: see
    /// [`EventStore::rewind_checkpoint`](crate::EventStore::rewind_checkpoint).
    ///
    /// # Errors
    ///
    /// Those of [`EventStore::rewind_checkpoint`](crate::EventStore::rewind_checkpoint).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// store.save_checkpoint(&mut conn, "mailing list", Position::new(20)?).await?;
    /// store.rewind_checkpoint(&mut conn, "mailing list", Position::new(10)?).await?;
    /// assert_eq!(store.checkpoints(&mut conn).await?[0].position().get(), 10);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn rewind_checkpoint<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
        projection_name: &str,
        position: Position,
    ) -> Result<(), CheckpointError> {
        awaited!(conn, clone(projection_name: projection_name.to_owned()), database => {
            rewind(database, projection_name, position)
        })
    }

    /// Deletes a projection's checkpoint, and returns whether there was one: see
    /// [`EventStore::delete_checkpoint`](crate::EventStore::delete_checkpoint).
    ///
    /// # Errors
    ///
    /// Those of [`EventStore::delete_checkpoint`](crate::EventStore::delete_checkpoint).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// assert!(!store.delete_checkpoint(&mut conn, "mailing list").await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_checkpoint<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
        projection_name: &str,
    ) -> Result<bool, CheckpointError> {
        awaited!(conn, clone(projection_name: projection_name.to_owned()), database => {
            delete(database, projection_name)
        })
    }
}
