use crate::model::append_batch::AppendBatch;
use crate::model::batch_appended::BatchAppended;
use crate::storage::append::AppendError;
use crate::storage::asynchronous::awaited::awaited;
use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::store::append_batch::append_batch;
use crate::store::asynchronous::AsyncEventStore;

impl AsyncEventStore {
    /// Appends events to several streams, all or none, if each is at its expected version and no guarded
    /// stream has moved: see [`EventStore::append_batch`](crate::EventStore::append_batch).
    ///
    /// # Errors
    ///
    /// Those of [`EventStore::append_batch`](crate::EventStore::append_batch).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let store = AsyncEventStore::new();
    /// let (order, stock) = (StreamId::new("Order", 1)?, StreamId::new("Stock", "tea")?);
    /// let batch = AppendBatch::new()
    ///     .append(&order, ExpectedVersion::NoStream, [NewEvent::new("Placed", &3)?])
    ///     .append(&stock, ExpectedVersion::NoStream, [NewEvent::new("Reserved", &3)?]);
    /// let done = store.append_batch(&mut conn, &batch).await?;
    /// assert_eq!(done.streams()[1].version(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn append_batch<C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &mut C,
        batch: &AppendBatch,
    ) -> Result<BatchAppended, AppendError> {
        let store = self.store;
        awaited!(conn, clone(batch: batch.clone()), database => append_batch(store, database, batch))
    }
}
