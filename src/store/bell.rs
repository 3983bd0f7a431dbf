use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(feature = "_async")]
use tokio::sync::Notify;

/// Wakes threads and tasks that wait for it to ring.
pub(crate) struct Bell {
    rung: Mutex<u64>,
    threads: Condvar,
    #[cfg(feature = "_async")]
    tasks: Notify,
}

impl Bell {
    pub(crate) const fn new() -> Self {
        Self {
            rung: Mutex::new(0),
            threads: Condvar::new(),
            #[cfg(feature = "_async")]
            tasks: Notify::const_new(),
        }
    }

    /// How often it has rung.
    pub(crate) fn count(&self) -> u64 {
        *self.rung()
    }

    pub(crate) fn ring(&self) {
        *self.rung() += 1;
        self.threads.notify_all();
        #[cfg(feature = "_async")]
        self.tasks.notify_waiters();
    }

    /// Waits on this thread until it has rung more often than `seen`, but no longer than `longest`. Whether it
    /// has.
    pub(crate) fn wait(&self, seen: u64, longest: Duration) -> bool {
        let (rung, _) = self
            .threads
            .wait_timeout_while(self.rung(), longest, |rung| *rung == seen)
            .unwrap_or_else(PoisonError::into_inner);
        *rung != seen
    }

    /// The same for a task, which leaves its thread to others meanwhile.
    #[cfg(feature = "_async")]
    pub(crate) async fn heard(&self, seen: u64, longest: Duration) -> bool {
        let mut next = std::pin::pin!(self.tasks.notified());
        // From here on it hears the bell, so none is missed between the count and the wait.
        next.as_mut().enable();
        if self.count() == seen {
            // It has rung, or the time is over: the count tells.
            let _ = tokio::time::timeout(longest, next).await;
        }
        self.count() != seen
    }

    /// A panic of another thread cannot leave a number half-changed.
    fn rung(&self) -> MutexGuard<'_, u64> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Bell {
    fn default() -> Self {
        Self::new()
    }
}
