use crate::model::invalid::InvalidInput;
use crate::storage::error::{DatabaseError, OperationError, operation_error};

/// Why [`Options`](super::options::Options) were not applied.
///
/// ```
/// use std::time::Duration;
///
/// use diesel::prelude::*;
/// use diesel_event_store::sqlite::Options;
///
/// let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// let month = Duration::from_secs(30 * 24 * 60 * 60);
/// let refused = Options::default().busy_timeout(month).apply(&mut conn).unwrap_err();
/// assert_eq!(refused.to_string(), "busy_timeout is 2592000s; the limit is 2147483.647s");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// An option that SQLite does not have.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The database refused or failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl OptionsError {
    /// Whether the same may well succeed when it is run again.
    ///
    /// ```
    /// use diesel_event_store::sqlite::OptionsError;
    ///
    /// assert!(!OptionsError::from(diesel::result::Error::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        self.database_error().is_some_and(DatabaseError::is_retryable)
    }

    /// For a pool, whose errors are diesel's.
    #[cfg(feature = "r2d2")]
    pub(super) fn into_diesel_error(self) -> diesel::result::Error {
        match self {
            Self::Invalid(invalid) => diesel::result::Error::QueryBuilderError(Box::new(invalid)),
            Self::Database(error) => error.into_diesel_error(),
        }
    }
}

operation_error!(OptionsError);
