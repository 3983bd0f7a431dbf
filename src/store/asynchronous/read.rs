use uuid::Uuid;

use crate::model::event::RecordedEvent;
use crate::model::log::{LogQuery, LogSlice};
use crate::model::log_status::LogStatus;
use crate::model::position::Position;
use crate::model::stream::{StreamQuery, StreamSlice};
use crate::model::stream_id::StreamId;
use crate::storage::asynchronous::awaited::awaited;
use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::storage::read::{Read, ReadError};
use crate::storage::rewrites::Rewrites;
use crate::store::asynchronous::AsyncEventStore;
use crate::store::log_status::log_status;
use crate::store::read_log::read_log;
use crate::store::read_stream::read_stream;

impl AsyncEventStore {
    /// The version of a stream: see [`EventStore::version`](crate::EventStore::version).
    ///
    /// # Errors
    ///
    /// [`ReadError::Database`](ReadError::Database): the database refused or failed.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// assert_eq!(store.version(&mut conn, &alice).await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn version<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
        stream: &StreamId,
    ) -> Result<i64, ReadError> {
        Ok(awaited!(conn, clone(stream: stream.clone()), database => database.version(stream))?)
    }

    /// The version of the first event that a stream has: see
    /// [`EventStore::first_version`](crate::EventStore::first_version).
    ///
    /// # Errors
    ///
    /// [`ReadError::Database`](ReadError::Database): the database refused or failed.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// assert_eq!(store.first_version(&mut conn, &alice).await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn first_version<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
        stream: &StreamId,
    ) -> Result<i64, ReadError> {
        Ok(awaited!(conn, clone(stream: stream.clone()), database => database.first_version(stream))?)
    }

    /// The events of one stream: see [`EventStore::read_stream`](crate::EventStore::read_stream).
    ///
    /// # Errors
    ///
    /// Those of [`EventStore::read_stream`](crate::EventStore::read_stream).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// let newest = store.read_stream(&mut conn, &alice, ..).await?;
    /// assert_eq!(newest.version(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read_stream<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
        stream: &StreamId,
        query: impl Into<StreamQuery>,
    ) -> Result<StreamSlice, ReadError> {
        let query = query.into();
        awaited!(conn, clone(stream: stream.clone()), database => read_stream(database, stream, &query))
    }

    /// The next events of the whole log after a position: see
    /// [`EventStore::read_forward`](crate::EventStore::read_forward).
    ///
    /// # Errors
    ///
    /// Those of [`read_log`](Self::read_log).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// let slice = store.read_forward(&mut conn, Position::START, 100).await?;
    /// assert!(slice.is_empty() && slice.is_end());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read_forward<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
        after: Position,
        limit: usize,
    ) -> Result<LogSlice, ReadError> {
        self.read_log(conn, &LogQuery::after(after), limit).await
    }

    /// The last events of the whole log before a position, newest first: see
    /// [`EventStore::read_backward`](crate::EventStore::read_backward).
    ///
    /// # Errors
    ///
    /// Those of [`read_log`](Self::read_log).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// assert!(store.read_backward(&mut conn, Position::END, 10).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read_backward<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
        before: Position,
        limit: usize,
    ) -> Result<LogSlice, ReadError> {
        self.read_log(conn, &LogQuery::before(before), limit).await
    }

    /// Events of the whole log, a page at a time: see [`EventStore::read_log`](crate::EventStore::read_log).
    ///
    /// # Errors
    ///
    /// Those of [`EventStore::read_log`](crate::EventStore::read_log).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// let users = LogQuery::after(Position::START).aggregate_types(["User"]);
    /// assert!(store.read_log(&mut conn, &users, 100).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read_log<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
        query: &LogQuery,
        limit: usize,
    ) -> Result<LogSlice, ReadError> {
        awaited!(conn, clone(query: query.clone()), database => read_log(database, query, limit))
    }

    /// The event with this id, if there is one: see
    /// [`EventStore::read_event`](crate::EventStore::read_event).
    ///
    /// # Errors
    ///
    /// [`ReadError::Database`](ReadError::Database): the database refused or failed.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// assert_eq!(store.read_event(&mut conn, uuid::Uuid::from_u128(7)).await?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read_event<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
        event_id: Uuid,
    ) -> Result<Option<RecordedEvent>, ReadError> {
        Ok(awaited!(conn, clone(), database => database.read_event(event_id))?)
    }

    /// The position up to which the log can be read now: see
    /// [`EventStore::last_position`](crate::EventStore::last_position).
    ///
    /// # Errors
    ///
    /// [`ReadError::Database`](ReadError::Database): the database refused or failed.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// assert_eq!(store.last_position(&mut conn).await?, Position::START);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn last_position<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
    ) -> Result<Position, ReadError> {
        Ok(awaited!(conn, clone(), database => database.last_position())?)
    }

    /// The position of the last event that was archived: see
    /// [`EventStore::archived_to`](crate::EventStore::archived_to).
    ///
    /// # Errors
    ///
    /// [`ReadError::Database`](ReadError::Database): the database refused or failed.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let store = AsyncEventStore::new();
    /// assert_eq!(store.archived_to(&mut conn).await?, Position::START);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn archived_to<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
    ) -> Result<Position, ReadError> {
        Ok(awaited!(conn, clone(), database => database.archived_to())?)
    }

    /// How far the log can be read, and what holds it back: see
    /// [`EventStore::log_status`](crate::EventStore::log_status).
    ///
    /// # Errors
    ///
    /// [`ReadError::Database`](ReadError::Database): the database refused or failed.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// assert_eq!(store.log_status(&mut conn).await?.positions_held_back(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn log_status<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
    ) -> Result<LogStatus, ReadError> {
        awaited!(conn, clone(), database => log_status(database))
    }
}
