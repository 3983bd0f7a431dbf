//! A runner whose partitions' rows are locked by another connection.

use diesel_event_store::DatabaseErrorKind;
use diesel_event_store::projection::{ProjectionError, RunnerHandle};

pub fn was_locked(failure: &ProjectionError) -> bool {
    matches!(failure, ProjectionError::Database(error) if error.kind() == DatabaseErrorKind::Locked)
}

/// It may have met the lock once more.
pub fn stop(running: RunnerHandle) {
    let failure = running.stop().err();
    assert!(failure.as_ref().is_none_or(ProjectionError::is_retryable), "{failure:?}");
}
