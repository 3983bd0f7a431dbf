use std::panic;
use std::thread::{self, JoinHandle};

use super::failures::Failures;
use super::health::Health;
use super::signals::Signals;
use crate::projection::error::ProjectionError;

/// A runner that was started. Dropping it stops the runner, too, and waits until it has ended. If a panic drops
/// it, nothing is waited for: the threads finish their batches and end by themselves.
pub struct RunnerHandle {
    pub(super) signals: Signals,
    pub(super) failures: Failures,
    pub(super) health: Health,
    pub(super) thread: Option<JoinHandle<()>>,
}

impl RunnerHandle {
    /// Stops the runner: batches in hand are finished, partitions are given back, threads end.
    ///
    /// # Errors
    ///
    /// The first failure that [`failures`](Self::failures) has not returned yet, if there is one.
    pub fn stop(mut self) -> Result<(), ProjectionError> {
        self.signals.stop();
        self.join();
        self.failures().into_iter().next().map_or(Ok(()), Err)
    }

    /// What has gone wrong since the last call, at most the latest 1000: partitions that have failed or were
    /// lost, errors of the database after which the runner has tried again, and handlers that [do not
    /// return](ProjectionError::HasNotReturned). Of partitions that are
    /// stopped already when the runner starts, and of those that another worker stops, it returns
    /// [`HasFailed`](ProjectionError::HasFailed), once.
    pub fn failures(&self) -> Vec<ProjectionError> {
        self.failures.take()
    }

    /// Whether it is still running. It ends by itself only if one of its own threads has panicked.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Whether the runner is running, reaches the database, has the connections that it needs, is not refused a
    /// partition by the database, has no handler that does not return within its lease, and knows of no
    /// partition of its projections, its own or another worker's, that has stopped or is tried again and
    /// again. It does not ask the database: what other workers do it knows after a third of a lease.
    /// [`status`](crate::projection::status()) says which partition it is, and why.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::projection::{Projection, Runner};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("shop.db").display().to_string();
    /// # let connect = move || SqliteConnection::establish(&path);
    /// # diesel_event_store::run_pending_migrations(&mut connect()?)?;
    /// # let users = Projection::new("users", 1, |_conn: &mut SqliteConnection, _event| Ok(()));
    /// let running = Runner::new(connect).projection(users).start()?;
    /// println!("the process is {}", if running.is_healthy() { "healthy" } else { "sick" });
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_healthy(&self) -> bool {
        self.is_running() && self.health.is_good()
    }

    fn join(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        if let Err(panic) = thread.join() {
            panic::resume_unwind(panic);
        }
    }
}

impl Drop for RunnerHandle {
    fn drop(&mut self) {
        self.signals.stop();
        if !thread::panicking() {
            self.join();
        }
    }
}
