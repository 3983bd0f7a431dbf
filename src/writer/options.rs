use std::time::Duration;

use diesel::sqlite::SqliteConnection;

use super::error::WriterError;
use super::handle::Writer;
use crate::store::EventStore;

/// How a [`Writer`](super::Writer) queues and groups.
///
/// | option | default | |
/// |---|---|---|
/// | `queue_capacity` | 1,024 | requests that may wait; who comes then, waits for room |
/// | `max_batch` | 1,024 | requests that one commit makes durable, at most |
/// | `max_delay` | none | how long a commit waits for more requests |
/// | `store` | `EventStore::new()` | the limits for what is appended |
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::sqlite::WriterOptions;
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// let conn = SqliteConnection::establish(":memory:").unwrap();
/// let writer = WriterOptions::default().queue_capacity(100).max_batch(50).start(conn)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterOptions {
    pub(super) queue_capacity: usize,
    pub(super) max_batch: usize,
    pub(super) max_delay: Duration,
    pub(super) store: EventStore,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self { queue_capacity: 1024, max_batch: 1024, max_delay: Duration::ZERO, store: EventStore::new() }
    }
}

impl WriterOptions {
    /// How many requests may wait. Who sends one more waits for room, or is told that there is none
    /// ([`try_send`](super::Request::try_send)). 0 counts as 1.
    ///
    /// ```
    /// # use diesel_event_store::sqlite::WriterOptions;
    /// let options = WriterOptions::default().queue_capacity(100);
    /// ```
    pub fn queue_capacity(mut self, requests: usize) -> Self {
        self.queue_capacity = requests.max(1);
        self
    }

    /// How many requests one transaction takes at most. 0 counts as 1, which is a commit for each.
    ///
    /// ```
    /// # use diesel_event_store::sqlite::WriterOptions;
    /// let options = WriterOptions::default().max_batch(50);
    /// ```
    pub fn max_batch(mut self, requests: usize) -> Self {
        self.max_batch = requests.max(1);
        self
    }

    /// How long a request may be kept waiting for company before its transaction begins, unless `max_batch` is reached
    /// before. Seldom of use: without it a batch is what has queued up while the last commit ran, and nobody waits for
    /// nothing.
    ///
    /// ```
    /// # use diesel_event_store::sqlite::WriterOptions;
    /// let options = WriterOptions::default().max_delay(std::time::Duration::from_millis(2));
    /// ```
    pub fn max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }

    /// The store whose limits hold for what is appended.
    ///
    /// ```
    /// # use diesel_event_store::{EventStore, sqlite::WriterOptions};
    /// let options = WriterOptions::default().store(EventStore::new().max_json_bytes(4096));
    /// ```
    pub fn store(mut self, store: EventStore) -> Self {
        self.store = store;
        self
    }

    /// Starts a writer with these options, which owns the connection from then on. The connection's settings are kept:
    /// apply [`Options`](crate::storage::sqlite::Options) before.
    ///
    /// # Errors
    ///
    /// [`WriterError::Database`] if the connection is in a transaction, [`WriterError::NotStarted`] if there is no
    /// thread to be had.
    pub fn start(self, conn: SqliteConnection) -> Result<Writer, WriterError> {
        Writer::start(conn, self)
    }
}
