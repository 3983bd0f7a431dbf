use std::sync::Arc;
use std::thread::{self, JoinHandle, ThreadId};

use diesel::sqlite::SqliteConnection;

use super::error::WriterError;
use super::group;
use super::options::WriterOptions;
use super::queue::Queue;
use super::reply::Receiver;
use super::ticket::Ticket;

/// The thread that owns the connection, for as long as there are handles or unsent requests.
pub(super) struct WriterThread {
    queue: Arc<Queue>,
    /// Until it is joined.
    handle: Option<JoinHandle<()>>,
    id: ThreadId,
}

impl WriterThread {
    pub(super) fn start(conn: SqliteConnection, options: WriterOptions) -> Result<Self, WriterError> {
        let queue = Arc::new(Queue::new(options.queue_capacity));
        let end = End(Arc::clone(&queue));
        let handle = thread::Builder::new()
            .name("event store writer".into())
            .spawn(move || write(conn, &end.0, options))
            .map_err(|error| WriterError::NotStarted(Arc::new(error)))?;
        let id = handle.thread().id();
        Ok(Self { queue, handle: Some(handle), id })
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Whether this is called on it, from a closure.
    pub(super) fn is_current(&self) -> bool {
        thread::current().id() == self.id
    }

    pub(super) fn ticket<T, E: From<WriterError>>(&self, reply: Receiver<T, E>) -> Ticket<T, E> {
        Ticket::new(reply, self.id)
    }
}

/// The last handle is dropped.
impl Drop for WriterThread {
    fn drop(&mut self) {
        self.queue.close();
        // A closure may have held the last handle; then the thread would wait for itself.
        if !self.is_current() {
            // If the thread has died, its requests are already answered.
            self.handle.take().map(JoinHandle::join);
        }
    }
}

/// Writes one group after the other, each of the jobs that have queued up meanwhile. It owns the connection,
/// so that it is closed before [`End`] tells of the end.
fn write(mut conn: SqliteConnection, queue: &Queue, options: WriterOptions) {
    loop {
        let jobs = queue.take(options.max_batch, options.max_delay);
        if jobs.is_empty() {
            return;
        }
        group::run(&mut conn, jobs.into());
    }
}

/// However the thread ends, no caller waits for it in vain.
struct End(Arc<Queue>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.clear().into_iter().for_each(|job| job.failed(WriterError::Closed));
        self.0.thread_has_ended();
    }
}
