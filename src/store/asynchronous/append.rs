use crate::model::appended::Appended;
use crate::model::event::NewEvent;
use crate::model::expected_version::ExpectedVersion;
use crate::model::stream_id::StreamId;
use crate::storage::append::AppendError;
use crate::storage::asynchronous::awaited::awaited;
use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::store::append::append;
use crate::store::asynchronous::AsyncEventStore;

impl AsyncEventStore {
    /// Appends events to a stream, all or none, if the stream is at the expected version: see
    /// [`EventStore::append`](crate::EventStore::append).
    ///
    /// On PostgreSQL it takes one round trip. On SQLite the events are cloned for the thread on which the
    /// append runs; where many callers append at once, `sqlite::Writer` is faster.
    ///
    /// # Errors
    ///
    /// Those of [`EventStore::append`](crate::EventStore::append).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// let created = NewEvent::new("UserCreated", &"alice@example.com")?;
    /// let appended = store.append(&mut conn, &alice, ExpectedVersion::NoStream, &[created]).await?;
    /// assert_eq!(appended.version(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn append<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
        stream: &StreamId,
        expected: ExpectedVersion,
        events: &[NewEvent],
    ) -> Result<Appended, AppendError> {
        let store = self.store;
        awaited!(conn, clone(stream: stream.clone(), events: events.to_vec()), database => {
            append(store, database, stream, expected, events)
        })
    }
}
