//! Wake-ups for workers of this process that wait for new events. A wake-up that is lost, or comes before the
//! commit, costs only time: every worker that waits also looks by itself.

use crate::storage::bell::Bell;

static WAKE_UPS: Bell = Bell::new();

/// What wakes workers up.
pub(crate) fn bell() -> &'static Bell {
    &WAKE_UPS
}

/// How many wake-ups there have been.
pub(crate) fn count() -> u64 {
    WAKE_UPS.count()
}

/// Wakes every worker that waits: there may be something new.
pub(crate) fn all() {
    WAKE_UPS.ring();
}
