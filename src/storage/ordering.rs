use crate::model::invalid::InvalidInput;
use crate::storage::error::{DatabaseError, OperationError, operation_error};

/// Why the ordering of the log was not read or changed.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, LogOrdering, OrderingError};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let refused = EventStore::new().set_log_ordering(&mut conn, LogOrdering::Fenced);
/// assert!(matches!(refused, Err(OrderingError::Invalid(invalid)) if invalid.field() == "ordering"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderingError {
    /// This database does not have the ordering.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The database refused or failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl OrderingError {
    /// Whether the same call may succeed when the outermost transaction is run again.
    ///
    /// ```
    /// use diesel_event_store::OrderingError;
    ///
    /// assert!(!OrderingError::from(diesel::result::Error::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        self.database_error().is_some_and(DatabaseError::is_retryable)
    }
}

operation_error!(OrderingError);
