use std::sync::Arc;
use std::thread::{self, JoinHandle, ThreadId};

use diesel::sqlite::SqliteConnection;

use super::error::WriterError;
use super::options::WriterOptions;
use super::queue::Queue;
use super::reply::Receiver;
use super::ticket::Ticket;
use super::worker::Worker;

/// The thread that owns the connection, for as long as there are handles.
pub(super) struct WriterThread {
    queue: Arc<Queue>,
    /// Until it is joined.
    handle: Option<JoinHandle<()>>,
    id: ThreadId,
}

impl WriterThread {
    pub(super) fn start(conn: SqliteConnection, options: WriterOptions) -> Result<Self, WriterError> {
        let queue = Arc::new(Queue::new(options.queue_capacity));
        let worker = Worker::new(conn, Arc::clone(&queue), options);
        let handle = thread::Builder::new()
            .name("event store writer".into())
            .spawn(move || worker.run())
            .map_err(|error| WriterError::NotStarted(Arc::new(error)))?;
        let id = handle.thread().id();
        Ok(Self { queue, handle: Some(handle), id })
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.queue
    }

    pub(super) fn id(&self) -> ThreadId {
        self.id
    }

    pub(super) fn ticket<T, E: From<WriterError>>(&self, reply: Receiver<T, E>) -> Ticket<T, E> {
        Ticket::new(reply, self.id)
    }
}

/// There is no handle left.
impl Drop for WriterThread {
    fn drop(&mut self) {
        self.queue.close();
        // A closure may have held the last handle, on the very thread that would wait for itself.
        if thread::current().id() != self.id {
            // What a thread that has died was asked for is answered already.
            self.handle.take().map(JoinHandle::join);
        }
    }
}
