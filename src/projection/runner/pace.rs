use std::time::{Duration, Instant};

use crate::projection::link::Link;
use crate::store::wake_up;

/// The first pause, when there was nothing new or the database did not answer.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// The longest pause between attempts to reach the database.
pub(super) const LONGEST_RECONNECT_PAUSE: Duration = Duration::from_secs(10);

/// Pauses that get longer while there is nothing to do.
pub(super) struct Pace {
    next: Duration,
    longest: Duration,
}

impl Pace {
    pub(super) fn new(longest: Duration) -> Self {
        Self { next: FIRST_PAUSE, longest }
    }

    pub(super) fn reset(&mut self) {
        self.next = FIRST_PAUSE;
    }

    pub(super) fn next(&mut self) -> Duration {
        let pause = self.next.min(self.longest);
        self.next = self.next.saturating_mul(2).min(self.longest.max(FIRST_PAUSE));
        pause
    }

    /// The pause begins where the log was looked at, by whichever thread. A wake-up may come before the
    /// commit that it is about: so the pauses are short again after it, and the longer the commit takes, the
    /// longer they get.
    pub(super) async fn wait<L: Link>(&mut self, seen: u64, since: Instant) {
        let pause = self.next().saturating_sub(since.elapsed());
        if L::wait(wake_up::bell(), seen, pause).await {
            self.reset();
        }
    }
}
