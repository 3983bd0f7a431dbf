//! What a handler's error is. A handler can fail with any error of this crate, so only this floor can tell.

use std::error::Error as StdError;

use super::Error;
use crate::model::decode_error::DecodeError;
use crate::projection::{FailureKind, HandlerError};
use crate::storage::append::AppendError;
use crate::storage::checkpoints::CheckpointError;
use crate::storage::error::DatabaseError;
use crate::storage::read::ReadError;

impl HandlerError {
    /// From an error that is not a [`std::error::Error`], or a message.
    ///
    /// ```
    /// use diesel_event_store::projection::HandlerError;
    ///
    /// assert_eq!(HandlerError::failed("no such customer").to_string(), "no such customer");
    /// ```
    pub fn failed(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::of_kind(FailureKind::Failed, error.into())
    }

    fn of_kind(kind: FailureKind, error: Box<dyn StdError + Send + Sync>) -> Self {
        Self { kind, is_retryable: is_retryable(&*error), error }
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for HandlerError {
    fn from(error: E) -> Self {
        let error: Box<dyn StdError + Send + Sync> = Box::new(error);
        match error.downcast::<diesel::result::Error>() {
            Ok(error) => Self::failed(DatabaseError::from(*error)),
            Err(error) => {
                let is_decoding =
                    error.is::<DecodeError>() || matches!(error.downcast_ref(), Some(Error::Decode(_)));
                let kind = if is_decoding { FailureKind::Undecodable } else { FailureKind::Failed };
                Self::of_kind(kind, error)
            }
        }
    }
}

impl From<HandlerError> for Error {
    fn from(error: HandlerError) -> Self {
        match error.error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => match error.downcast::<DatabaseError>() {
                Ok(error) => Error::Database(*error),
                Err(error) => Error::Handler(error),
            },
        }
    }
}

fn is_retryable(error: &(dyn StdError + Send + Sync + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<Error>() {
        return error.is_retryable();
    }
    error.downcast_ref::<DatabaseError>().is_some_and(DatabaseError::is_retryable)
        || error.downcast_ref::<AppendError>().is_some_and(AppendError::is_retryable)
        || error.downcast_ref::<ReadError>().is_some_and(ReadError::is_retryable)
        || error.downcast_ref::<CheckpointError>().is_some_and(CheckpointError::is_retryable)
}
