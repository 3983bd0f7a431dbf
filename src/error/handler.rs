//! What a handler's error is. A handler can fail with any error of this crate, or with one of the application
//! that has such an error inside, so only this floor can tell.

use std::error::Error as StdError;

use super::Error;
use super::chain::chain;
use crate::event::EventProblem;
use crate::model::decode_error::{DecodeError, Undecodable};
use crate::model::expected_version::Conflict;
use crate::projection::{Cause, FailureKind, HandlerError, OnFailure, ProjectionError};
use crate::storage::append::AppendError;
use crate::storage::checkpoints::CheckpointError;
use crate::storage::error::{DatabaseError, is_log_closed};
use crate::storage::migrations::MigrationError;
use crate::storage::read::ReadError;
use crate::store::run_again::RunAgain;

type Boxed = Box<dyn StdError + Send + Sync>;

/// An error type that does not implement [`std::error::Error`], like `anyhow::Error`, becomes a handler's
/// error by one of these, and so does a plain text.
impl HandlerError {
    /// A failure, with this message or from any error, even from one that does not implement
    /// [`std::error::Error`], like `anyhow::Error`. What is inside the error decides whether it is worth
    /// another try, as with `?`, as far as it [can be
    /// seen](crate::guide::errors#is-the-cause-found-inside-your-errors).
    ///
    /// ```
    /// use diesel_event_store::projection::HandlerError;
    ///
    /// assert_eq!(HandlerError::failed("no such customer").to_string(), "no such customer");
    /// ```
    pub fn failed<Kind>(cause: impl Cause<Kind>) -> Self {
        let is_retryable = cause.error().is_some_and(is_worth_another_try);
        let is_collision = cause.error().is_some_and(has_collided);
        Self::new(FailureKind::Failed, is_retryable, cause.into()).collision(is_collision)
    }

    /// The event's content could not be read: the projection's policy for undecodable events applies.
    ///
    /// ```
    /// use diesel_event_store::projection::{FailureKind, HandlerError};
    ///
    /// let error = HandlerError::undecodable("the amount has no currency");
    /// assert_eq!(error.kind(), FailureKind::Undecodable);
    /// ```
    pub fn undecodable(error: impl Into<Boxed>) -> Self {
        Self::new(FailureKind::Undecodable, false, error.into())
    }

    /// The same may well succeed when it is run again: the batch is rolled back and repeated, and this does
    /// not count as a failure. A runner does so for five minutes: if the handler has said nothing else by then,
    /// the partition stops, whatever the policy. `catch_up` gives up after some seconds, with
    /// [`RunAgain`](crate::projection::ProjectionError::RunAgain).
    ///
    /// ```
    /// use diesel_event_store::projection::HandlerError;
    ///
    /// let busy = HandlerError::retry("the exchange rate is being updated");
    /// assert_eq!(busy.to_string(), "the exchange rate is being updated");
    /// ```
    pub fn retry(error: impl Into<Boxed>) -> Self {
        Self::new(FailureKind::Failed, true, error.into())
    }

    /// The partition stops before the event at once, whatever the projection's policy is.
    ///
    /// ```
    /// use diesel_event_store::projection::HandlerError;
    ///
    /// let error = HandlerError::stop("the read model has a hole");
    /// assert_eq!(error.to_string(), "the read model has a hole");
    /// ```
    pub fn stop(error: impl Into<Boxed>) -> Self {
        Self::new(FailureKind::Failed, false, error.into()).with_policy(OnFailure::Stop)
    }

    /// The event is parked at once, and later events of its aggregate after it, whatever the projection's
    /// policy is.
    ///
    /// ```
    /// use diesel_event_store::projection::HandlerError;
    ///
    /// let error = HandlerError::park("a person has to look at this order");
    /// assert_eq!(error.to_string(), "a person has to look at this order");
    /// ```
    pub fn park(error: impl Into<Boxed>) -> Self {
        Self::new(FailureKind::Failed, false, error.into()).with_policy(OnFailure::Park)
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for HandlerError {
    fn from(error: E) -> Self {
        let error: Boxed = Box::new(error);
        let error = match error.downcast::<diesel::result::Error>() {
            Ok(error) => Box::new(DatabaseError::from(*error)),
            Err(error) => error,
        };
        let kind = chain(&*error).find_map(kind).unwrap_or(FailureKind::Failed);
        let (is_retryable, is_collision) = (is_worth_another_try(&*error), has_collided(&*error));
        Self::new(kind, is_retryable, error).collision(is_collision)
    }
}

/// An error of this crate stays what it is, unless the handler has said otherwise whether it is worth another
/// try.
impl From<HandlerError> for Error {
    fn from(error: HandlerError) -> Self {
        let is_retryable = error.is_retryable();
        let source = error.into_error();
        if is_retryable != is_worth_another_try(&*source) {
            return Error::Handler { is_retryable, source };
        }
        match source.downcast::<Error>() {
            Ok(error) => *error,
            Err(source) => match source.downcast::<DatabaseError>() {
                Ok(error) => Error::Database(*error),
                Err(source) => Error::Handler { is_retryable, source },
            },
        }
    }
}

/// What is inside decides. A closed log is worth another try: it may be opened again.
fn is_worth_another_try(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(is_retryable) || is_log_closed(error)
}

fn has_collided(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(is_collision)
}

fn kind(error: &(dyn StdError + 'static)) -> Option<FailureKind> {
    if let Some(problem) = error.downcast_ref::<EventProblem>() {
        return Some(match problem {
            EventProblem::UnknownType | EventProblem::NewerVersion { .. } => FailureKind::UnknownEventType,
            EventProblem::Upcast { .. } | EventProblem::Undecodable { .. } => FailureKind::Undecodable,
        });
    }
    let is_undecodable = error.is::<DecodeError>()
        || error.is::<Undecodable>()
        || matches!(error.downcast_ref(), Some(Error::Decode(_)));
    is_undecodable.then_some(FailureKind::Undecodable)
}

/// Whether another transaction was in the way. After a lost connection there may have been none.
fn is_collision(error: &(dyn StdError + 'static)) -> bool {
    macro_rules! is_one_of {
        ($($known:ty),+) => { $(error.downcast_ref::<$known>().is_some_and(RunAgain::may_run_again))||+ };
    }
    error.is::<Conflict>()
        || is_one_of!(diesel::result::Error, Error, AppendError, ReadError, CheckpointError, DatabaseError)
}

fn is_retryable(error: &(dyn StdError + 'static)) -> bool {
    macro_rules! is_one_of {
        ($($known:ty),+) => { $(error.downcast_ref::<$known>().is_some_and(<$known>::is_retryable))||+ };
    }
    match error.downcast_ref::<diesel::result::Error>() {
        Some(error) => DatabaseError::kind_of(error).is_retryable(),
        // The handler has decided on a state that another append has made old: it can decide again.
        None if error.is::<Conflict>() => true,
        None => is_one_of!(
            Error,
            AppendError,
            ReadError,
            CheckpointError,
            MigrationError,
            ProjectionError,
            DatabaseError
        ),
    }
}

#[cfg(test)]
mod tests {
    use diesel::result::{DatabaseErrorKind as Kind, Error::DatabaseError};

    use crate::projection::HandlerError;

    /// Only then do partitions take turns: an outage is no reason to.
    #[test]
    fn a_deadlock_is_a_collision_and_a_lost_connection_is_none() {
        let of = |kind| HandlerError::from(DatabaseError(kind, Box::new(String::new())));
        for (kind, is_collision) in [(Kind::SerializationFailure, true), (Kind::ClosedConnection, false)] {
            let error = of(kind);
            assert!(error.is_retryable());
            assert_eq!(error.is_collision(), is_collision, "{error:?}");
        }
    }
}
