use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::projection::link::Link;
use crate::storage::bell::Bell;

/// Lets one at a time in, which may wait for the database inside.
#[derive(Default)]
pub(super) struct Gate {
    is_taken: Mutex<bool>,
    is_free: Bell,
}

/// Who leaves rings, so this is only how long a wait is at most.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

impl Gate {
    pub(super) async fn enter<L: Link>(&self) -> Inside<'_> {
        loop {
            let seen = self.is_free.count();
            if !std::mem::replace(&mut *self.is_taken(), true) {
                return Inside(self);
            }
            L::wait(&self.is_free, seen, LONGEST_WAIT).await;
        }
    }

    fn is_taken(&self) -> MutexGuard<'_, bool> {
        self.is_taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Until it is dropped, also by a panic.
pub(super) struct Inside<'g>(&'g Gate);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        *self.0.is_taken() = false;
        self.0.is_free.ring();
    }
}
