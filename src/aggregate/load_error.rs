use crate::event::EventError;
use crate::model::invalid::InvalidInput;
use crate::model::stream_id::StreamId;
use crate::storage::error::{DatabaseError, OperationError, operation_error};
use crate::store::run_again::RunAgain;

/// Why an aggregate could not be loaded.
///
/// ```
/// use diesel_event_store::LoadError;
///
/// fn is_the_callers_fault(error: &LoadError) -> bool {
///     matches!(error, LoadError::Invalid(_))
/// }
///
/// assert!(!is_the_callers_fault(&diesel::result::Error::NotFound.into()));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Its id, or something else that was given for the command, cannot be stored.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// An event of its stream cannot be read as one of its typed events.
    #[error("{0}")]
    Event(#[from] EventError),
    /// Events of its stream were archived, and the state cannot be folded without them. Restore them: see
    /// [archiving](crate::guide::archiving).
    #[error("the events of {stream} before version {first_version} were archived: restore them first")]
    #[non_exhaustive]
    Archived {
        /// The stream.
        stream: StreamId,
        /// The version of the first event that is there, or will be.
        first_version: i64,
    },
    /// The database refused or failed.
    #[error("{0}")]
    Database(#[from] DatabaseError),
}

impl LoadError {
    /// Whether the same may well succeed when the outermost transaction is run again.
    ///
    /// ```
    /// use diesel_event_store::LoadError;
    ///
    /// assert!(!LoadError::from(diesel::result::Error::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        self.database_error().is_some_and(DatabaseError::is_retryable)
    }
}

operation_error!(LoadError);

impl RunAgain for LoadError {
    fn may_run_again(&self) -> bool {
        self.database_error().is_some_and(RunAgain::may_run_again)
    }
}
