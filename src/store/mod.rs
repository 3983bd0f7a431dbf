//! [`EventStore`], an `impl` block per topic: each file has the methods beside what only they need.

pub(crate) mod append;
pub(crate) mod append_batch;
#[cfg(feature = "_async")]
pub(crate) mod asynchronous;
pub(crate) mod check_log;
mod checkpoints;
pub(crate) mod iterate;
pub(crate) mod keys;
mod log_state;
pub(crate) mod log_status;
pub(crate) mod migrate;
mod ordering;
pub(crate) mod read_log;
mod read_stream;
mod repair;
pub(crate) mod repeated;
pub(crate) mod run_again;
mod transaction;
pub(crate) mod wake_up;
pub(crate) mod write_transaction;

/// The largest payload or metadata, in bytes, unless [`EventStore::max_json_bytes`] sets another limit: 16
/// MiB.
pub const DEFAULT_MAX_JSON_BYTES: usize = 16 * 1024 * 1024;

/// Appends and reads events on a connection that the application lends for the call.
///
/// It holds options, never a connection, and is cheap to copy. Every method works outside a transaction, and
/// inside one that the application has open on the same connection: its writes are then committed or rolled
/// back with that transaction.
///
/// | topic | methods |
/// |---|---|
/// | append | [`append`](Self::append), [`append_batch`](Self::append_batch); [`delete_keys_before`](Self::delete_keys_before) lets idempotency keys expire |
/// | load, decide and append | [`aggregate`](Self::aggregate); [`transaction`](Self::transaction) with rows of the application; [`verify_snapshots`](Self::verify_snapshots), [`delete_old_snapshots`](Self::delete_old_snapshots) |
/// | read a stream | [`read_stream`](Self::read_stream), [`iter_stream`](Self::iter_stream), [`version`](Self::version), [`first_version`](Self::first_version) |
/// | read the log | [`read_forward`](Self::read_forward), [`read_backward`](Self::read_backward), [`read_log`](Self::read_log), [`iter_log`](Self::iter_log), [`last_position`](Self::last_position), [`archived_to`](Self::archived_to), [`log_status`](Self::log_status) |
/// | find out whether typed events can be read | [`check_log`](Self::check_log) |
/// | read one event | [`read_event`](Self::read_event) |
/// | keep a place in the log | [`checkpoint`](Self::checkpoint), [`checkpoints`](Self::checkpoints), [`save_checkpoint`](Self::save_checkpoint), [`rewind_checkpoint`](Self::rewind_checkpoint), [`delete_checkpoint`](Self::delete_checkpoint) |
/// | which log it is, and whether it is closed | [`log_id`](Self::log_id), [`log_closed`](Self::log_closed) |
/// | positions | [`log_ordering`](Self::log_ordering), [`set_log_ordering`](Self::set_log_ordering), [`publish_position`](Self::publish_position), [`repair`](Self::repair) |
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// diesel_event_store::run_pending_migrations(&mut conn)?;
///
/// let store = EventStore::new();
/// let alice = StreamId::new("User", "alice")?;
/// let created = NewEvent::new("UserCreated", &"alice@example.com")?;
/// store.append(&mut conn, &alice, ExpectedVersion::NoStream, &[created])?;
/// assert_eq!(store.version(&mut conn, &alice)?, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventStore {
    pub(crate) max_json_bytes: usize,
    pub(crate) allow_empty: bool,
}

impl Default for EventStore {
    fn default() -> Self {
        Self::new()
    }
}

impl EventStore {
    /// A store with the default options.
    ///
    /// ```
    /// # use diesel_event_store::EventStore;
    /// let store = EventStore::new();
    /// ```
    pub const fn new() -> Self {
        Self { max_json_bytes: DEFAULT_MAX_JSON_BYTES, allow_empty: false }
    }

    /// The largest payload, and the largest metadata, that [`append`](Self::append) accepts, in bytes of JSON
    /// text. Default: [`DEFAULT_MAX_JSON_BYTES`]. SQLite itself stores no text above 1,000,000,000 bytes.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::{AppendError, EventStore, ExpectedVersion, NewEvent, StreamId};
    ///
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// # let document = StreamId::new("Document", 1)?;
    /// let store = EventStore::new().max_json_bytes(1024);
    /// let large = [NewEvent::new("Written", &"x".repeat(2000))?];
    /// let refused = store.append(&mut conn, &document, ExpectedVersion::Any, &large);
    /// assert!(matches!(refused, Err(AppendError::Invalid(invalid)) if invalid.field() == "payload"));
    /// # Ok(())
    /// # }
    /// ```
    pub const fn max_json_bytes(self, max_json_bytes: usize) -> Self {
        Self { max_json_bytes, ..self }
    }

    /// Whether [`append`](Self::append) accepts no events, for a decision that may have none. It then writes
    /// nothing and locks nothing, but still compares the expected version with that of the stream, as the
    /// transaction sees it. Default: `false`, no events are refused.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::{EventStore, ExpectedVersion, StreamId};
    ///
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// # let alice = StreamId::new("User", "alice")?;
    /// let store = EventStore::new().allow_empty(true);
    /// let appended = store.append(&mut conn, &alice, ExpectedVersion::NoStream, &[])?;
    /// assert_eq!((appended.events().len(), appended.version()), (0, 0));
    /// assert!(store.append(&mut conn, &alice, ExpectedVersion::Exact(1), &[]).is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub const fn allow_empty(self, allow_empty: bool) -> Self {
        Self { allow_empty, ..self }
    }
}
