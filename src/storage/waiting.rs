//! Who waits for the write lock of SQLite. Nobody can wait in order there: who finds the lock taken sleeps, and
//! looks again, and finds it taken each time if another one writes without a break. So one who writes for long
//! leaves room: at once if it is known that another one waits, and from time to time for those of whom
//! nothing is known, such as other processes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::storage::bell::Bell;

/// SQLite sleeps for up to 100 ms before it looks again.
pub(crate) const LONGEST_SLEEP: Duration = Duration::from_millis(110);

static WAITING: AtomicUsize = AtomicUsize::new(0);
static HAVE_WAITED: Bell = Bell::new();

/// Whether somebody in this process waits, for whichever database.
pub(crate) fn is_anybody() -> bool {
    WAITING.load(Ordering::Relaxed) > 0
}

/// Rings when one of them waits no longer.
pub(crate) fn bell() -> &'static Bell {
    &HAVE_WAITED
}

/// Until it is dropped, somebody waits.
#[cfg(feature = "sqlite")]
pub(crate) struct Waiting(());

#[cfg(feature = "sqlite")]
impl Waiting {
    pub(crate) fn begin() -> Self {
        WAITING.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

#[cfg(feature = "sqlite")]
impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
        HAVE_WAITED.ring();
    }
}
