//! [`AsyncEventStore`]: what an [`EventStore`] does, on connections that are awaited.

mod append;
mod append_batch;
mod check_log;
mod checkpoints;
pub(crate) mod iterate;
mod keys;
mod log_state;
pub(crate) mod migrate;
mod ordering;
mod read;
mod transaction;
pub(crate) mod write_transaction;

use crate::store::EventStore;

/// An [`EventStore`] on connections of the crate `diesel-async`: the same methods, with the same guarantees,
/// the same statements and the same tables, as futures. Blocking and asynchronous processes work on one store
/// together.
///
/// The connection is lent for each call, so that an append is part of the transaction that the application
/// has open on it. See [`AsyncEventConnection`](crate::AsyncEventConnection) for the connections there are,
/// and the page `docs/async.md` for runtimes, pools and cancellation. (In documentation that is built with
/// the features `async-postgres`, `async-sqlite` and `deadpool`, it is the page `asynchronous` of the
/// [guide](crate::guide).)
///
/// **A future that is dropped** before it is ready has done its work wholly or not at all. To find out which,
/// append the same events again: the error is [`DuplicateEventId`](crate::AppendError::DuplicateEventId) if
/// they are recorded. If a transaction may have been left open on the connection, or, on MySQL and MariaDB,
/// an answer was not read, the connection refuses everything from then on with
/// [`ConnectionLost`](crate::DatabaseErrorKind::ConnectionLost), and a pool throws it away.
///
/// ```
/// use diesel::sqlite::SqliteConnection;
/// use diesel_async::AsyncConnection;
/// use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
/// use diesel_event_store::{
///     AsyncEventStore, ExpectedVersion, NewEvent, StreamId, async_run_pending_migrations,
/// };
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = SyncConnectionWrapper::<SqliteConnection>::establish(":memory:").await?;
/// async_run_pending_migrations(&mut conn).await?;
///
/// let store = AsyncEventStore::new();
/// let alice = StreamId::new("User", "alice")?;
/// let created = NewEvent::new("UserCreated", &"alice@example.com")?;
/// store.append(&mut conn, &alice, ExpectedVersion::NoStream, &[created]).await?;
/// assert_eq!(store.version(&mut conn, &alice).await?, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AsyncEventStore {
    pub(crate) store: EventStore,
}

/// With the same options.
///
/// ```
/// use diesel_event_store::{AsyncEventStore, EventStore};
///
/// assert_eq!(AsyncEventStore::from(EventStore::new()), AsyncEventStore::new());
/// ```
impl From<EventStore> for AsyncEventStore {
    fn from(store: EventStore) -> Self {
        Self { store }
    }
}

impl AsyncEventStore {
    /// A store with the default options.
    ///
    /// ```
    /// use diesel_event_store::AsyncEventStore;
    ///
    /// assert_eq!(AsyncEventStore::new(), AsyncEventStore::default());
    /// ```
    pub const fn new() -> Self {
        Self { store: EventStore::new() }
    }

    /// The largest payload, and the largest metadata, in bytes of JSON text: see
    /// [`EventStore::max_json_bytes`].
    ///
    /// ```
    /// use diesel_event_store::AsyncEventStore;
    ///
    /// assert_ne!(AsyncEventStore::new().max_json_bytes(1024), AsyncEventStore::new());
    /// ```
    pub const fn max_json_bytes(self, max_json_bytes: usize) -> Self {
        Self { store: self.store.max_json_bytes(max_json_bytes) }
    }

    /// Whether [`append`](Self::append) accepts no events: see [`EventStore::allow_empty`]. Default: `false`.
    ///
    /// ```
    /// use diesel_event_store::AsyncEventStore;
    ///
    /// assert_ne!(AsyncEventStore::new().allow_empty(true), AsyncEventStore::new());
    /// ```
    pub const fn allow_empty(self, allow_empty: bool) -> Self {
        Self { store: self.store.allow_empty(allow_empty) }
    }
}
