use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// However often a worker has met events that it cannot apply.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// When a worker leaves a projection to the workers of another release.
#[derive(Default)]
pub(super) struct Aside(Mutex<Turn>);

#[derive(Default)]
struct Turn {
    until: Option<Instant>,
    last: Duration,
}

impl Aside {
    /// For so long the first time, so that the others look at least once meanwhile, and then each time twice
    /// as long: during a deployment there are ever more events that this release cannot apply.
    pub(super) fn step(&self, first: Duration) {
        let mut turn = self.turn();
        if turn.is_aside() {
            return;
        }
        turn.last = turn.last.saturating_mul(2).clamp(first, LONGEST.max(first));
        turn.until = Some(Instant::now() + turn.last);
    }

    pub(super) fn is_aside(&self) -> bool {
        self.turn().is_aside()
    }

    /// It is whole between any two statements, so a panic elsewhere leaves it whole.
    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    fn is_aside(&self) -> bool {
        self.until.is_some_and(|until| until > Instant::now())
    }
}
