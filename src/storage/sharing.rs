//! Several that share a thread. Connections that block leave nothing to wait for in the middle of an operation,
//! so each has the thread until it pauses or waits for another one; then the others go on.

use std::cell::Cell;
use std::future::poll_fn;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long the thread sleeps at most where none of them has to go on at a certain time.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

thread_local! {
    /// When those that share this thread are to be polled again at the latest. `None`: who runs has the thread
    /// for itself.
    static NEXT: Cell<Option<Instant>> = const { Cell::new(None) };

    /// What wakes this thread up.
    static WAKER: Waker = Waker { thread: thread::current(), is_rung: Arc::default() };
}

/// Wakes up a thread that is shared. What runs on it may sleep on its own account, and is woken up then: so
/// that is also noted.
#[derive(Clone)]
pub(crate) struct Waker {
    thread: Thread,
    is_rung: Arc<AtomicBool>,
}

impl Waker {
    pub(crate) fn of_this_thread() -> Self {
        WAKER.with(Self::clone)
    }

    pub(crate) fn is_of_the_same_thread(&self, other: &Self) -> bool {
        self.thread.id() == other.thread.id()
    }

    pub(crate) fn wake(&self) {
        self.is_rung.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }

    /// On its own thread: sleeps until this time, unless it was woken up since it has slept last.
    pub(crate) fn sleep_until(&self, end: Instant) {
        if !self.is_rung.swap(false, Ordering::SeqCst) {
            thread::park_timeout(end.saturating_duration_since(Instant::now()));
        }
    }
}

/// Polls those that share this thread, each once. Returns when to poll them again, unless the thread is woken
/// up earlier.
pub(crate) fn together(poll: impl FnOnce()) -> Instant {
    let next = Instant::now() + LONGEST_SLEEP;
    let _before = Before::set(Some(next));
    poll();
    NEXT.get().unwrap_or(next)
}

/// Runs what has the thread for itself, and may block it.
pub(crate) fn alone<T>(run: impl FnOnce() -> T) -> T {
    let _before = Before::set(None);
    run()
}

/// Whether others go on if who runs leaves the thread.
pub(crate) fn is_shared() -> bool {
    NEXT.get().is_some()
}

/// Who leaves the thread is polled again at this time, or earlier.
pub(crate) fn poll_again_at(at: Instant) {
    NEXT.set(NEXT.get().map(|next| next.min(at)));
}

/// Lets the others that share this thread go on first, each until it waits.
pub(crate) async fn give_way() {
    let mut is_to_leave = is_shared();
    poll_fn(|_| {
        if mem::take(&mut is_to_leave) {
            poll_again_at(Instant::now());
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}

/// What was so before, and is so again when this is dropped, also by a panic.
struct Before(Option<Instant>);

impl Before {
    fn set(next: Option<Instant>) -> Self {
        Self(NEXT.replace(next))
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        NEXT.set(self.0);
    }
}
