use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::{DateTime, Utc};

use crate::model::position::Position;

/// The call of a partition's handler that has not returned yet, for those who do not wait for it.
#[derive(Default)]
pub(in crate::projection) struct Calls(Mutex<Option<Call>>);

/// What the handler was called for, and when.
#[derive(Clone, Copy)]
pub(in crate::projection) struct Call {
    /// Of the first event that it was given.
    pub(in crate::projection) position: Position,
    pub(in crate::projection) began_at: DateTime<Utc>,
    /// The lease under which it was called.
    pub(in crate::projection) token: i64,
    pub(super) runs_out_at: Instant,
    /// Whether somebody else has told that it does not return.
    pub(in crate::projection) is_told: bool,
}

impl Call {
    fn is(&self, other: &Self) -> bool {
        (self.token, self.position, self.began_at) == (other.token, other.position, other.began_at)
    }
}

impl Calls {
    pub(super) fn begin(&self, call: Call) -> Calling<'_> {
        *self.call() = Some(call);
        Calling(self)
    }

    /// The call that has not returned although its lease has run out.
    pub(in crate::projection) fn overdue(&self) -> Option<Call> {
        self.call().filter(|call| call.runs_out_at <= Instant::now())
    }

    /// Somebody else tells that this call does not return. Whether it has not.
    pub(in crate::projection) fn tell(&self, call: &Call) -> bool {
        let mut current = self.call();
        let current = current.as_mut().filter(|current| current.is(call));
        current.map(|current| current.is_told = true).is_some()
    }

    /// Whether it has returned meanwhile.
    pub(in crate::projection) fn has_returned(&self, call: &Call) -> bool {
        !self.call().is_some_and(|current| current.is(call))
    }

    /// It is replaced as a whole, so a panic elsewhere leaves it whole.
    fn call(&self) -> MutexGuard<'_, Option<Call>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Until it is dropped, also by a panic, the handler has not returned.
pub(super) struct Calling<'c>(&'c Calls);

impl Calling<'_> {
    /// It has returned. Whether somebody else has told meanwhile that it does not.
    pub(super) fn end(self) -> bool {
        self.0.call().is_some_and(|call| call.is_told)
    }
}

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        *self.0.call() = None;
    }
}
