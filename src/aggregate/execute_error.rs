use std::convert::Infallible;

use super::LoadError;
use crate::model::expected_version::Conflict;
use crate::model::invalid::InvalidInput;
use crate::storage::append::AppendError;
use crate::storage::error::DatabaseError;
use crate::store::run_again::RunAgain;

/// Why a command recorded nothing. `E` is the error with which the aggregate rejects commands.
///
/// ```
/// use diesel_event_store::ExecuteError;
///
/// fn status<E>(error: &ExecuteError<E>) -> u16 {
///     match error {
///         ExecuteError::Rejected(_) => 422,
///         error if error.conflict().is_some() => 412,
///         error if error.is_retryable() => 503,
///         _ => 500,
///     }
/// }
///
/// assert_eq!(status(&ExecuteError::Rejected("sold out")), 422);
/// assert_eq!(status::<()>(&diesel::result::Error::NotFound.into()), 500);
/// ```
// Each of the errors is also the source, so that it is known for what it is inside any error of the
// application.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError<E> {
    /// The aggregate has rejected the command.
    #[error("{0}")]
    Rejected(#[source] E),
    /// The aggregate could not be loaded.
    #[error("{0}")]
    Load(#[from] LoadError),
    /// The events could not be appended: after the last attempt another append was faster
    /// ([`Conflict`](AppendError::Conflict)), or one of the events cannot be stored.
    #[error("{0}")]
    Append(#[from] AppendError),
    /// The database refused or failed.
    #[error("{0}")]
    Database(#[from] DatabaseError),
}

impl<E> ExecuteError<E> {
    /// The conflict, if the error is one.
    ///
    /// ```
    /// use diesel_event_store::ExecuteError;
    ///
    /// assert!(ExecuteError::Rejected("sold out").conflict().is_none());
    /// ```
    pub fn conflict(&self) -> Option<&Conflict> {
        match self {
            ExecuteError::Append(error) => error.conflict(),
            _ => None,
        }
    }

    /// The rejection, or what else it was.
    ///
    /// ```
    /// use diesel_event_store::ExecuteError;
    ///
    /// assert_eq!(ExecuteError::Rejected("sold out").into_rejected().unwrap(), "sold out");
    /// ```
    ///
    /// # Errors
    ///
    /// Everything but a rejection.
    pub fn into_rejected(self) -> Result<E, ExecuteError<Infallible>> {
        match self {
            ExecuteError::Rejected(rejection) => Ok(rejection),
            ExecuteError::Load(error) => Err(error.into()),
            ExecuteError::Append(error) => Err(error.into()),
            ExecuteError::Database(error) => Err(error.into()),
        }
    }

    /// Whether the same may well succeed when the outermost transaction is run again. A conflict is not of
    /// this kind: it needs a new decision.
    ///
    /// ```
    /// use diesel_event_store::ExecuteError;
    ///
    /// assert!(!ExecuteError::Rejected("sold out").is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            ExecuteError::Rejected(_) => false,
            ExecuteError::Load(error) => error.is_retryable(),
            ExecuteError::Append(error) => error.is_retryable(),
            ExecuteError::Database(error) => error.is_retryable(),
        }
    }
}

impl<E> From<diesel::result::Error> for ExecuteError<E> {
    fn from(error: diesel::result::Error) -> Self {
        ExecuteError::Database(error.into())
    }
}

impl<E> From<InvalidInput> for ExecuteError<E> {
    fn from(invalid: InvalidInput) -> Self {
        ExecuteError::Append(invalid.into())
    }
}

impl<E> From<Conflict> for ExecuteError<E> {
    fn from(conflict: Conflict) -> Self {
        ExecuteError::Append(conflict.into())
    }
}

impl<E> RunAgain for ExecuteError<E> {
    fn may_run_again(&self) -> bool {
        match self {
            ExecuteError::Rejected(_) => false,
            ExecuteError::Load(error) => error.may_run_again(),
            ExecuteError::Append(error) => error.may_run_again(),
            ExecuteError::Database(error) => error.may_run_again(),
        }
    }
}
