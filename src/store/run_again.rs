use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::decision::attempts::Attempts;
use crate::storage::append::AppendError;
use crate::storage::checkpoints::CheckpointError;
use crate::storage::error::{DatabaseError, OperationError};
use crate::storage::migrations::MigrationError;
use crate::storage::ordering::OrderingError;
use crate::storage::read::ReadError;

/// An application's error that says whether the transaction that failed with it may be run again:
/// [`EventStore::transaction`](crate::EventStore::transaction) asks it.
///
/// The errors of this crate implement it, except those of `transfer`, because another run would continue in
/// the middle of a file. They say yes to a conflict, a deadlock, a lock that was not released in time, and to
/// what a handler wants to [retry](crate::projection::HandlerError::retry); and no to a lost connection,
/// which leaves open whether the transaction was committed.
///
/// ```
/// use diesel_event_store::RunAgain;
///
/// #[derive(Debug, thiserror::Error)]
/// enum ShopError {
///     #[error(transparent)]
///     Store(#[from] diesel_event_store::Error),
///     #[error("{0}")]
///     Database(#[from] diesel::result::Error),
///     #[error("sold out")]
///     SoldOut,
/// }
///
/// impl RunAgain for ShopError {
///     fn may_run_again(&self) -> bool {
///         match self {
///             ShopError::Store(error) => error.may_run_again(),
///             ShopError::Database(error) => error.may_run_again(),
///             ShopError::SoldOut => false,
///         }
///     }
/// }
///
/// assert!(!ShopError::SoldOut.may_run_again());
/// assert!(!ShopError::from(diesel::result::Error::NotFound).may_run_again());
/// ```
pub trait RunAgain {
    /// Whether the same may well succeed when the whole transaction is run again.
    fn may_run_again(&self) -> bool;
}

impl RunAgain for diesel::result::Error {
    fn may_run_again(&self) -> bool {
        DatabaseError::kind_of(self).has_given_way()
    }
}

impl RunAgain for DatabaseError {
    fn may_run_again(&self) -> bool {
        self.kind().has_given_way()
    }
}

impl RunAgain for AppendError {
    fn may_run_again(&self) -> bool {
        self.conflict().is_some() || has_given_way(self)
    }
}

impl RunAgain for ReadError {
    fn may_run_again(&self) -> bool {
        has_given_way(self)
    }
}

impl RunAgain for CheckpointError {
    fn may_run_again(&self) -> bool {
        has_given_way(self)
    }
}

impl RunAgain for OrderingError {
    fn may_run_again(&self) -> bool {
        has_given_way(self)
    }
}

impl RunAgain for MigrationError {
    fn may_run_again(&self) -> bool {
        has_given_way(self)
    }
}

pub(crate) fn has_given_way(error: &impl OperationError) -> bool {
    error.database_error().is_some_and(RunAgain::may_run_again)
}

/// The outcome of the attempt that began then, if it is the last; else how long to pause before the next.
pub(crate) fn last_or_pause<T, E: RunAgain>(
    outcome: Result<T, E>,
    begun: Instant,
    attempts: &mut Attempts,
) -> ControlFlow<Result<T, E>, Duration> {
    match outcome {
        Err(error) if error.may_run_again() => match attempts.pause_after(begun.elapsed()) {
            Some(pause) => ControlFlow::Continue(pause),
            None => ControlFlow::Break(Err(error)),
        },
        outcome => ControlFlow::Break(outcome),
    }
}
