use std::panic;
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};

use super::context::Signal;
use super::failures::Failures;
use crate::projection::error::ProjectionError;

/// A runner that was started. Dropping it stops the runner, too.
pub struct RunnerHandle {
    pub(super) signal: Sender<Signal>,
    pub(super) failures: Failures,
    pub(super) thread: Option<JoinHandle<()>>,
}

impl RunnerHandle {
    /// Stops the runner: batches in hand are finished, partitions are given back, threads end.
    ///
    /// # Errors
    ///
    /// The first failure that [`failures`](Self::failures) has not returned yet, if there is one.
    pub fn stop(mut self) -> Result<(), ProjectionError> {
        self.join();
        self.failures().into_iter().next().map_or(Ok(()), Err)
    }

    /// What has gone wrong since the last call, at most the latest 1000: partitions that have failed or were
    /// lost, and errors of the database after which the runner has tried again.
    pub fn failures(&self) -> Vec<ProjectionError> {
        self.failures.take()
    }

    /// Whether it is still running. It ends by itself only if one of its own threads has panicked.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    fn join(&mut self) {
        // If the manager does not listen any more, it has ended.
        let _ = self.signal.send(Signal::Stop);
        let Some(thread) = self.thread.take() else { return };
        if let Err(panic) = thread.join() {
            panic::resume_unwind(panic);
        }
    }
}

impl Drop for RunnerHandle {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.join();
        }
    }
}
