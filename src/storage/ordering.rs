use diesel::result::QueryResult;

use crate::model::invalid::InvalidInput;
use crate::model::ordering::LogOrdering;
use crate::model::position::Position;
use crate::storage::error::{DatabaseError, OperationError, operation_error};
use crate::storage::operations::operations;

operations! {
    pub(crate) trait Ordering {
        fn log_ordering(&mut self) -> QueryResult<LogOrdering>;

        fn set_log_ordering(&mut self, ordering: LogOrdering) -> Result<(), OrderingError>;

        /// Makes the position up to which the log is complete known to readers that cannot find it out
        /// themselves.
        fn publish_position(&mut self) -> QueryResult<Position>;
    }
}

/// Why the ordering of the log was not changed. It is as it was before.
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
    /// The database does not have this ordering.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The database refused or failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl OrderingError {
    /// Whether the same may well succeed when the outermost transaction is run again.
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
