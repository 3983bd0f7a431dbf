use std::sync::Arc;
use std::time::Duration;

use diesel::sqlite::SqliteConnection;

use super::error::WriterError;
use super::group;
use super::options::WriterOptions;
use super::queue::Queue;

/// What the writer's thread does: one group after the other, each of what has queued up meanwhile.
pub(super) struct Worker {
    conn: SqliteConnection,
    queue: Arc<Queue>,
    max_batch: usize,
    max_delay: Duration,
}

impl Worker {
    pub(super) fn new(conn: SqliteConnection, queue: Arc<Queue>, options: WriterOptions) -> Self {
        let WriterOptions { max_batch, max_delay, .. } = options;
        Self { conn, queue, max_batch, max_delay }
    }

    pub(super) fn run(self) {
        let Self { mut conn, queue, max_batch, max_delay } = self;
        let end = End(queue);
        loop {
            let jobs = end.0.take(max_batch, max_delay);
            if jobs.is_empty() {
                break;
            }
            group::run(&mut conn, jobs.into());
        }
        // Closed before anybody hears of the end.
        drop(conn);
    }
}

/// However the thread ends, nobody waits for it in vain.
struct End(Arc<Queue>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.clear().into_iter().for_each(|job| job.failed(WriterError::Closed));
        self.0.worker_has_gone();
    }
}
