use std::future::poll_fn;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

#[cfg(feature = "_async")]
use tokio::sync::Notify;

use crate::storage::sharing::{self, Waker};

/// Wakes threads and tasks that wait for it to ring.
pub(crate) struct Bell {
    rung: Mutex<Rung>,
    threads: Condvar,
    #[cfg(feature = "_async")]
    tasks: Notify,
}

struct Rung {
    count: u64,
    /// Threads that are shared, on which somebody waits.
    shared: Vec<Waker>,
}

impl Rung {
    /// A thread is there once, however many wait on it.
    fn wakes_this_thread(&mut self) {
        let this = Waker::of_this_thread();
        if !self.shared.iter().any(|waker| waker.is_of_the_same_thread(&this)) {
            self.shared.push(this);
        }
    }
}

impl Bell {
    pub(crate) const fn new() -> Self {
        Self {
            rung: Mutex::new(Rung { count: 0, shared: Vec::new() }),
            threads: Condvar::new(),
            #[cfg(feature = "_async")]
            tasks: Notify::const_new(),
        }
    }

    /// How often it has rung.
    pub(crate) fn count(&self) -> u64 {
        self.rung().count
    }

    pub(crate) fn ring(&self) {
        let mut rung = self.rung();
        rung.count += 1;
        rung.shared.drain(..).for_each(|waker| waker.wake());
        drop(rung);
        self.threads.notify_all();
        #[cfg(feature = "_async")]
        self.tasks.notify_waiters();
    }

    /// Waits on this thread until it has rung more often than `seen`, but no longer than `longest`. Whether it
    /// has. Others that [share](sharing) the thread go on meanwhile.
    pub(crate) async fn wait(&self, seen: u64, longest: Duration) -> bool {
        if sharing::is_shared() { self.leave(seen, longest).await } else { self.block(seen, longest) }
    }

    fn block(&self, seen: u64, longest: Duration) -> bool {
        let (rung, _) = self
            .threads
            .wait_timeout_while(self.rung(), longest, |rung| rung.count == seen)
            .unwrap_or_else(PoisonError::into_inner);
        rung.count != seen
    }

    async fn leave(&self, seen: u64, longest: Duration) -> bool {
        let end = Instant::now() + longest;
        poll_fn(|_| {
            let mut rung = self.rung();
            let has_rung = rung.count != seen;
            if has_rung || Instant::now() >= end {
                return Poll::Ready(has_rung);
            }
            rung.wakes_this_thread();
            sharing::poll_again_at(end);
            Poll::Pending
        })
        .await
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

    /// It is whole between any two statements, so a panic elsewhere leaves it whole.
    fn rung(&self) -> MutexGuard<'_, Rung> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Bell {
    fn default() -> Self {
        Self::new()
    }
}
