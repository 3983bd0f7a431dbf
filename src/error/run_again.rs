//! Which errors of the upper floors let a transaction be run again. Those of `transfer` do not: it would go on
//! in the middle of a file.

use std::error::Error as StdError;

use super::Error;
use super::chain::chain;
use crate::operate::{FreezeError, SealError};
use crate::projection::{HandlerError, ProjectionError};
use crate::storage::error::{DatabaseError, is_log_closed};
use crate::storage::error_kind::DatabaseErrorKind;
#[cfg(feature = "sqlite")]
use crate::storage::sqlite::OptionsError;
use crate::store::run_again::{RunAgain, has_given_way};
#[cfg(feature = "sqlite")]
use crate::writer::{WriteError, WriterError};

impl RunAgain for Error {
    fn may_run_again(&self) -> bool {
        match self {
            Error::Append(error) => error.may_run_again(),
            Error::Read(error) => error.may_run_again(),
            Error::Load(error) => error.may_run_again(),
            Error::Checkpoint(error) => error.may_run_again(),
            Error::Ordering(error) => error.may_run_again(),
            Error::Migration(error) => error.may_run_again(),
            Error::Projection(error) => error.may_run_again(),
            Error::Handler { is_retryable, source } => *is_retryable && !comes_again(&**source),
            Error::Database(error) => error.may_run_again(),
            Error::Freeze(error) => error.may_run_again(),
            Error::Seal(error) => error.may_run_again(),
            #[cfg(feature = "sqlite")]
            Error::Writer(error) => error.may_run_again(),
            #[cfg(all(feature = "transfer", feature = "_blocking"))]
            Error::Export(_) | Error::Import(_) | Error::Copy(_) | Error::Archive(_) => false,
            Error::Rejected(_) | Error::Decode(_) | Error::Event(_) | Error::Invalid(_) => false,
        }
    }
}

impl RunAgain for HandlerError {
    fn may_run_again(&self) -> bool {
        self.is_retryable() && !comes_again(self.error())
    }
}

impl RunAgain for ProjectionError {
    fn may_run_again(&self) -> bool {
        match self {
            Self::Database(error) => error.may_run_again(),
            Self::RunAgain { source, .. } => !comes_again(&**source),
            _ => false,
        }
    }
}

/// What is retryable, but not at once and on the same connection: the connection is lost, or the log closed.
fn comes_again(error: &(dyn StdError + 'static)) -> bool {
    let is_lost =
        |error: &diesel::result::Error| DatabaseError::kind_of(error) == DatabaseErrorKind::ConnectionLost;
    is_log_closed(error) || chain(error).any(|error| error.downcast_ref().is_some_and(is_lost))
}

impl RunAgain for FreezeError {
    fn may_run_again(&self) -> bool {
        has_given_way(self)
    }
}

impl RunAgain for SealError {
    fn may_run_again(&self) -> bool {
        has_given_way(self)
    }
}

#[cfg(feature = "sqlite")]
impl RunAgain for OptionsError {
    fn may_run_again(&self) -> bool {
        has_given_way(self)
    }
}

#[cfg(feature = "sqlite")]
impl RunAgain for WriterError {
    fn may_run_again(&self) -> bool {
        matches!(self, Self::Database(error) if error.may_run_again())
    }
}

#[cfg(feature = "sqlite")]
impl RunAgain for WriteError {
    fn may_run_again(&self) -> bool {
        match self {
            Self::Append(error) => error.may_run_again(),
            Self::Writer(error) => error.may_run_again(),
        }
    }
}
