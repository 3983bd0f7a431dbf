//! One error for everything that this crate does. No lower floor names it.

mod chain;
mod execute;
mod from_store_errors;
mod handler;
mod run_again;

use crate::aggregate::LoadError;
use crate::event::EventError;
use crate::model::decode_error::DecodeError;
use crate::model::expected_version::Conflict;
use crate::model::invalid::InvalidInput;
use crate::operate::{FreezeError, SealError};
use crate::projection::ProjectionError;
use crate::storage::append::AppendError;
use crate::storage::checkpoints::CheckpointError;
use crate::storage::error::{DatabaseError, operation_error};
use crate::storage::migrations::MigrationError;
use crate::storage::ordering::OrderingError;
use crate::storage::read::ReadError;
#[cfg(feature = "sqlite")]
use crate::storage::sqlite::OptionsError;
#[cfg(all(feature = "transfer", feature = "_blocking"))]
use crate::transfer::{ArchiveError, CopyError, ExportError, ImportError};
#[cfg(feature = "sqlite")]
use crate::writer::{WriteError, WriterError};

/// Any error of this crate: for `main`, or for a transaction with several operations. As the source of an
/// application's own error type it takes one line: see [`from_store_errors!`](crate::from_store_errors).
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{Error, EventStore, ExpectedVersion, NewEvent, StreamId, write_transaction};
///
/// fn register(conn: &mut SqliteConnection, name: &str) -> Result<i64, Error> {
///     write_transaction(conn, |conn| {
///         let stream = StreamId::new("User", name)?;
///         let created = NewEvent::new("UserCreated", &name)?;
///         let appended = EventStore::new().append(conn, &stream, ExpectedVersion::NoStream, &[created])?;
///         Ok(appended.version())
///     })
/// }
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// assert_eq!(register(&mut conn, "alice")?, 1);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An append failed.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// A read failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An aggregate could not be loaded, because its events were archived.
    #[error(transparent)]
    Load(LoadError),
    /// A checkpoint could not be read or saved.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The ordering of the log could not be read or changed.
    #[error(transparent)]
    Ordering(#[from] OrderingError),
    /// The migrations could not run.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// A projection could not be applied, or an operation on it failed.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// The handler of a projection that is applied inline failed.
    #[error("{source}")]
    #[non_exhaustive]
    Handler {
        /// What [`HandlerError::is_retryable`](crate::projection::HandlerError::is_retryable) said.
        is_retryable: bool,
        /// The handler's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An aggregate has rejected a command.
    #[error(transparent)]
    Rejected(Box<dyn std::error::Error + Send + Sync>),
    /// A payload or metadata could not be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A recorded event cannot be read as a typed one.
    #[error(transparent)]
    Event(#[from] EventError),
    /// An argument cannot be stored or queried.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The database refused or failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A log could not be frozen, or opened again.
    #[error(transparent)]
    Freeze(#[from] FreezeError),
    /// A log could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A log could not be exported.
    #[cfg(all(feature = "transfer", feature = "_blocking"))]
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A log could not be imported.
    #[cfg(all(feature = "transfer", feature = "_blocking"))]
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A log could not be copied.
    #[cfg(all(feature = "transfer", feature = "_blocking"))]
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// Streams could not be archived, or not restored.
    #[cfg(all(feature = "transfer", feature = "_blocking"))]
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A [`Writer`](crate::writer::Writer) could not carry out the request.
    #[cfg(feature = "sqlite")]
    #[error(transparent)]
    Writer(#[from] WriterError),
}

impl Error {
    /// The conflict, if the error is one.
    ///
    /// ```
    /// use diesel_event_store::Error;
    ///
    /// assert!(Error::from(diesel::result::Error::NotFound).conflict().is_none());
    /// ```
    pub fn conflict(&self) -> Option<&Conflict> {
        match self {
            Error::Append(error) => error.conflict(),
            _ => None,
        }
    }

    /// Whether the same call may succeed when the outermost transaction is run again.
    ///
    /// ```
    /// use diesel_event_store::Error;
    ///
    /// assert!(!Error::from(diesel::result::Error::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Append(error) => error.is_retryable(),
            Error::Read(error) => error.is_retryable(),
            Error::Checkpoint(error) => error.is_retryable(),
            Error::Ordering(error) => error.is_retryable(),
            Error::Migration(error) => error.is_retryable(),
            Error::Projection(error) => error.is_retryable(),
            Error::Database(error) => error.is_retryable(),
            Error::Freeze(error) => error.is_retryable(),
            Error::Seal(error) => error.is_retryable(),
            #[cfg(feature = "sqlite")]
            Error::Writer(error) => error.is_retryable(),
            #[cfg(all(feature = "transfer", feature = "_blocking"))]
            Error::Export(error) => error.is_retryable(),
            #[cfg(all(feature = "transfer", feature = "_blocking"))]
            Error::Import(error) => error.is_retryable(),
            #[cfg(all(feature = "transfer", feature = "_blocking"))]
            Error::Copy(error) => error.is_retryable(),
            #[cfg(all(feature = "transfer", feature = "_blocking"))]
            Error::Archive(error) => error.is_retryable(),
            Error::Load(error) => error.is_retryable(),
            Error::Handler { is_retryable, .. } => *is_retryable,
            Error::Decode(_) | Error::Event(_) | Error::Invalid(_) | Error::Rejected(_) => false,
        }
    }
}

operation_error!(Error);

#[cfg(feature = "sqlite")]
impl From<OptionsError> for Error {
    fn from(error: OptionsError) -> Self {
        match error {
            OptionsError::Invalid(invalid) => invalid.into(),
            OptionsError::Database(error) => error.into(),
        }
    }
}

#[cfg(feature = "sqlite")]
impl From<WriteError> for Error {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Append(error) => error.into(),
            WriteError::Writer(error) => error.into(),
        }
    }
}
