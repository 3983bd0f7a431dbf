//! Wake-ups for threads of this process that wait for new events. A wake-up that is lost, or comes before the
//! commit, costs only time: every waiting thread also looks by itself.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

static SENT: Mutex<u64> = Mutex::new(0);
static NEW_WAKE_UP: Condvar = Condvar::new();

/// A panic of another thread cannot leave a number half-changed.
fn sent() -> MutexGuard<'static, u64> {
    SENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many wake-ups there have been.
pub(crate) fn count() -> u64 {
    *sent()
}

/// Wakes every thread that waits: there may be something new.
pub(crate) fn all() {
    *sent() += 1;
    NEW_WAKE_UP.notify_all();
}

/// Waits until there have been more wake-ups than `seen`, but no longer than `longest`. Whether there have
/// been.
pub(crate) fn wait(seen: u64, longest: Duration) -> bool {
    let (sent, _) = NEW_WAKE_UP
        .wait_timeout_while(sent(), longest, |sent| *sent == seen)
        .unwrap_or_else(PoisonError::into_inner);
    *sent != seen
}

/// Waits for this long, and returns `false` as soon as it is time to stop. What makes it time also sends a
/// wake-up.
pub(crate) fn pause(longest: Duration, is_time: impl Fn() -> bool) -> bool {
    let end = Instant::now() + longest;
    loop {
        let seen = count();
        if is_time() {
            return false;
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        wait(seen, left);
    }
}
