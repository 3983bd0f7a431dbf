use std::time::Duration;

use crate::store::EventStore;

/// How a [`Writer`](super::Writer) queues and groups.
///
/// | option | default | |
/// |---|---|---|
/// | `queue_capacity` | 1,024 | how many requests may wait; the next caller waits for room |
/// | `max_batch` | 1,024 | how many requests share one commit, at most |
/// | `max_delay` | none | how long a commit waits for more requests |
/// | `store` | `EventStore::new()` | the limits for appended events |
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
    /// How many requests may wait in the queue. Default: 1,024; 0 counts as 1. A caller that sends one more
    /// waits for room or, with [`try_send`](super::Request::try_send), gets it back.
    ///
    /// ```
    /// # use diesel_event_store::sqlite::WriterOptions;
    /// let options = WriterOptions::default().queue_capacity(100);
    /// ```
    pub fn queue_capacity(mut self, requests: usize) -> Self {
        self.queue_capacity = requests.max(1);
        self
    }

    /// How many requests one transaction takes at most. Default: 1,024; 0 counts as 1, which is one commit
    /// per request.
    ///
    /// ```
    /// # use diesel_event_store::sqlite::WriterOptions;
    /// let options = WriterOptions::default().max_batch(50);
    /// ```
    pub fn max_batch(mut self, requests: usize) -> Self {
        self.max_batch = requests.max(1);
        self
    }

    /// How long the writer waits for more requests before it begins a transaction with fewer than
    /// `max_batch`. Default: not at all. It seldom helps: even without it, a batch takes everything that has
    /// queued up during the last commit.
    ///
    /// ```
    /// # use diesel_event_store::sqlite::WriterOptions;
    /// let options = WriterOptions::default().max_delay(std::time::Duration::from_millis(2));
    /// ```
    pub fn max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }

    /// The store whose limits the appended events must keep. Default: [`EventStore::new`].
    ///
    /// ```
    /// # use diesel_event_store::{EventStore, sqlite::WriterOptions};
    /// let options = WriterOptions::default().store(EventStore::new().max_json_bytes(4096));
    /// ```
    pub fn store(mut self, store: EventStore) -> Self {
        self.store = store;
        self
    }
}
