//! Failures that do not count, because the same may well succeed when it is run again: deadlocks, locks, lost
//! races.

use std::time::Duration;

use crate::model::chance::up_to;
use crate::projection::handler::HandlerError;

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// With pauses that double, this is between four and ten seconds.
const MOST: u32 = 12;

/// How often the same was tried, by a worker that gives way to the others a little longer each time.
#[derive(Default)]
pub(super) struct Transient {
    times: u32,
}

impl Transient {
    /// How long to pause before the next try, if there is to be one.
    pub(super) fn pause(&mut self) -> Option<Duration> {
        self.times += 1;
        (self.times <= MOST)
            .then(|| spread(FIRST_PAUSE.saturating_mul(1 << self.times.min(6)).min(LONGEST_PAUSE)))
    }

    /// The same after a failure of a handler. A closed log does not open within so short a time.
    pub(super) fn pause_after(&mut self, error: &HandlerError) -> Option<Duration> {
        self.pause().filter(|_| !error.is_log_closed())
    }
}

/// Between half of it and all of it: two that have met in a deadlock do not meet again at the same moment.
fn spread(pause: Duration) -> Duration {
    pause / 2 + up_to(pause / 2)
}
