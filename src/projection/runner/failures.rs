use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::projection::error::ProjectionError;

/// What was not taken by then is forgotten, the oldest first.
const MOST_FAILURES: usize = 1000;

/// What has gone wrong in the crew of a runner.
#[derive(Clone, Default)]
pub(in crate::projection) struct Failures(Arc<Mutex<Vec<ProjectionError>>>);

impl Failures {
    pub(super) fn add(&self, error: ProjectionError) {
        let mut failures = self.lock();
        if failures.len() == MOST_FAILURES {
            failures.remove(0);
        }
        failures.push(error);
    }

    pub(in crate::projection) fn take(&self) -> Vec<ProjectionError> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ProjectionError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
