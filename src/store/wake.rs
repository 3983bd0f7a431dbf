//! Hints that there may be something new in the log, for whoever waits for it in this process. A hint that is lost, or comes
//! before the commit, costs only time: whoever waits looks by itself, too.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

static HINTS: Mutex<u64> = Mutex::new(0);
static NEW_HINT: Condvar = Condvar::new();

/// A count cannot be half-changed, whoever panics.
fn hints() -> MutexGuard<'static, u64> {
    HINTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many hints there were.
pub(crate) fn seen() -> u64 {
    *hints()
}

/// There may be something new.
pub(crate) fn hint() {
    *hints() += 1;
    NEW_HINT.notify_all();
}

/// Waits until there are more hints than were seen, and returns whether there are; or for so long.
pub(crate) fn wait(seen: u64, longest: Duration) -> bool {
    let (hints, _) = NEW_HINT
        .wait_timeout_while(hints(), longest, |hints| *hints == seen)
        .unwrap_or_else(PoisonError::into_inner);
    *hints != seen
}

/// Waits for so long, or until it is time to stop: then it returns `false`. Whoever says that it is time gives a hint.
pub(crate) fn pause(longest: Duration, is_time: impl Fn() -> bool) -> bool {
    let end = Instant::now() + longest;
    loop {
        let seen = seen();
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
