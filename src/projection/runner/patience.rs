use std::time::{Duration, Instant};

use crate::projection::error::ProjectionError;
use crate::storage::error::is_log_closed;

/// How long a handler may fail with errors that do not count before its partition stops: longer than a lock
/// that ends by itself. For a closed log it waits as long as it takes.
const LONGEST: Duration = Duration::from_secs(300);

/// Ends what would be tried again for ever.
#[derive(Default)]
pub(super) struct Patience {
    /// For how long the handler has failed with such errors. An outage of the database is no fault of its own.
    failing: Duration,
    /// The last such error, unless something else has come since.
    last: Option<Instant>,
}

impl Patience {
    /// The partition gets on.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Whether this error is one too many.
    pub(super) fn is_over(&mut self, error: &ProjectionError) -> bool {
        self.is_over_at(Instant::now(), error)
    }

    fn is_over_at(&mut self, now: Instant, error: &ProjectionError) -> bool {
        if is_log_closed(error) {
            self.reset();
            return false;
        }
        let does_not_count = matches!(error, ProjectionError::RunAgain { .. });
        let last = std::mem::replace(&mut self.last, does_not_count.then_some(now));
        if let (Some(last), true) = (last, does_not_count) {
            self.failing += now.duration_since(last);
        }
        does_not_count && self.failing > LONGEST
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{LONGEST, Patience};
    use crate::model::position::Position;
    use crate::model::projection_id::ProjectionId;
    use crate::projection::error::ProjectionError;

    const MOMENT: Duration = Duration::from_millis(1);

    fn run_again() -> ProjectionError {
        let (projection, source) = (ProjectionId::new("users", 1), "locked".into());
        ProjectionError::RunAgain { projection, position: Position::START, source }
    }

    #[test]
    fn it_ends_when_a_handler_has_failed_for_long() {
        let (mut patience, begin) = (Patience::default(), Instant::now());
        assert!(!patience.is_over_at(begin, &run_again()));
        assert!(!patience.is_over_at(begin + LONGEST, &run_again()));
        assert!(patience.is_over_at(begin + LONGEST + MOMENT, &run_again()));
    }

    #[test]
    fn an_outage_before_does_not_count() {
        let (mut patience, begin) = (Patience::default(), Instant::now());
        let outage = ProjectionError::from(diesel::result::Error::BrokenTransactionManager);
        assert!(!patience.is_over_at(begin, &outage));
        assert!(!patience.is_over_at(begin + LONGEST * 2, &outage));
        assert!(!patience.is_over_at(begin + LONGEST * 2, &run_again()));
        assert!(!patience.is_over_at(begin + LONGEST * 3, &run_again()));
    }

    #[test]
    fn an_outage_between_two_failures_does_not_count() {
        let (mut patience, begin) = (Patience::default(), Instant::now());
        let outage = ProjectionError::from(diesel::result::Error::BrokenTransactionManager);
        assert!(!patience.is_over_at(begin, &run_again()));
        assert!(!patience.is_over_at(begin + MOMENT, &outage));
        let back = begin + LONGEST * 2;
        assert!(!patience.is_over_at(back, &run_again()));
        assert!(!patience.is_over_at(back + LONGEST, &run_again()));
        assert!(patience.is_over_at(back + LONGEST + MOMENT, &run_again()));
    }

    #[test]
    fn it_begins_anew_when_the_partition_gets_on() {
        let (mut patience, begin) = (Patience::default(), Instant::now());
        assert!(!patience.is_over_at(begin, &run_again()));
        patience.reset();
        assert!(!patience.is_over_at(begin + LONGEST + MOMENT, &run_again()));
    }
}
