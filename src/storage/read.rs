use crate::model::invalid::InvalidInput;
use crate::storage::error::{DatabaseError, OperationError, operation_error};

/// Why nothing was read.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, Position, ReadError};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let refused = EventStore::new().read_forward(&mut conn, Position::START, 0);
/// assert!(matches!(refused, Err(ReadError::Invalid(invalid)) if invalid.field() == "limit"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Something that cannot be asked for.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The database did not do it.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl ReadError {
    /// Whether the same read may well succeed when the outermost transaction is run again.
    ///
    /// ```
    /// use diesel_event_store::ReadError;
    ///
    /// assert!(!ReadError::from(diesel::result::Error::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        self.database_error().is_some_and(DatabaseError::is_retryable)
    }
}

operation_error!(ReadError);
