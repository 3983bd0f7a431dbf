//! What went wrong with an aggregate, as an error of the crate.

use std::error::Error as StdError;

use super::Error;
use crate::aggregate::{ExecuteError, LoadError};

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Invalid(invalid) => invalid.into(),
            LoadError::Event(error) => error.into(),
            error @ LoadError::Archived { .. } => Self::Load(error),
            LoadError::Database(error) => error.into(),
        }
    }
}

/// A rejection that is an error of this crate already stays what it is.
impl<E: StdError + Send + Sync + 'static> From<ExecuteError<E>> for Error {
    fn from(error: ExecuteError<E>) -> Self {
        match error {
            ExecuteError::Rejected(rejection) => {
                let rejection: Box<dyn StdError + Send + Sync> = Box::new(rejection);
                rejection.downcast().map_or_else(Error::Rejected, |error| *error)
            }
            ExecuteError::Load(error) => error.into(),
            ExecuteError::Append(error) => error.into(),
            ExecuteError::Database(error) => error.into(),
        }
    }
}
