use std::io;

use uuid::Uuid;

use crate::model::invalid::InvalidInput;
use crate::model::log_state::LogClosed;
use crate::model::stream_id::StreamId;
use crate::operate::FreezeError;
use crate::storage::append::AppendError;
use crate::storage::error::{DatabaseError, OperationError, operation_error};
use crate::storage::read::ReadError;

/// Why a log was not exported, or not to its end. What is in the file has no trailer then, and no import
/// takes it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// An import has filled the log only in part.
    #[error("{} is not complete yet, so it cannot be exported", .0.state())]
    Receiving(LogClosed),
    /// Streams were archived, restored or erased meanwhile, so the lines do not agree with each other. Export
    /// again.
    #[error("streams were archived, restored or erased while the log was exported")]
    Changed,
    /// The file could not be written.
    #[error("the file could not be written: {0}")]
    Write(#[from] io::Error),
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The database refused or failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl ExportError {
    /// Whether the same may well succeed when it is run again.
    ///
    /// ```
    /// use diesel_event_store::transfer::ExportError;
    ///
    /// assert!(!ExportError::from(diesel::result::Error::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Changed) || self.database_error().is_some_and(DatabaseError::is_retryable)
    }
}

operation_error!(ExportError);

/// Why a log was not imported, or not to its end.
///
/// What is wrong with a file ([`File`](Self::File)) is known before anything is written, unless the file
/// changes meanwhile. After any other error the log may be in part in the store, which stays closed: run the
/// same import again, or [`discard`](super::discard) it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file could not be read.
    #[error("the file could not be read: {0}")]
    Read(#[from] io::Error),
    /// The file is not a whole log.
    #[error("line {line}: {problem}")]
    #[non_exhaustive]
    File {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        #[source]
        problem: FileProblem,
    },
    /// The connection is in a transaction. An import commits several.
    #[error("an import commits several transactions, and the connection is in one of the application's")]
    InTransaction,
    /// The store has no events, but something else that an import brings.
    #[error(
        "the store has no events, but {what}, which would not fit the imported events; stop the workers and \
         delete it, or import into a new database"
    )]
    #[non_exhaustive]
    Occupied {
        /// What it has.
        what: &'static str,
    },
    /// Another file is being imported, or this one was changed since.
    #[error("another import fills this log ({note}); run that one again, or discard it")]
    #[non_exhaustive]
    OtherImport {
        /// JSON: since when, and how far it has come.
        note: String,
    },
    /// Two imports of the same file run at the same time, and the other one goes on. Or what this one has filled
    /// was [discarded](super::discard()) meanwhile.
    #[error("another process imports the same file into this log, or has discarded it")]
    Overtaken,
    /// What was read back is not what is in the file.
    #[error(
        "the events that were read back are not those of the file: their chain is {found}, not {expected}"
    )]
    #[non_exhaustive]
    Differs {
        /// Of the file.
        expected: String,
        /// Of the store.
        found: String,
    },
    /// The store has other events where the file has these. Nothing was written.
    #[error("line {line}: {stream} has {what} in this store")]
    #[non_exhaustive]
    OtherEvent {
        /// Counted from 1.
        line: u64,
        /// The stream of the event.
        stream: StreamId,
        /// What stands there.
        what: String,
    },
    /// Events were appended to a store that has others, and then one could not be: the file has changed since
    /// it was checked, or another connection has appended. Run the import again: what is there is skipped.
    #[error("{error}; {events} events before it were appended")]
    #[non_exhaustive]
    Partly {
        /// How many.
        events: u64,
        /// Why no more.
        #[source]
        error: Box<ImportError>,
    },
    /// The store does not have an event of the file, so it has no position for it.
    #[error("line {line}: this store has no event {event_id}; import the file first")]
    #[non_exhaustive]
    NotImported {
        /// Counted from 1.
        line: u64,
        /// The event.
        event_id: Uuid,
    },
    /// What was to be done with a position could not be done.
    #[error("the positions were not noted: {0}")]
    Visit(#[source] io::Error),
    /// What was to be discarded is a copy into a log that had events before, and these would be lost, too. Or
    /// what has filled the log is not known any more, because its row in `event_log` was lost. Run the copy
    /// again, or [reclaim](super::reclaim()) the log.
    #[error(
        "the log had events before this copy began, or may have had, and they would be lost: run the copy \
         again, or, if its source is lost, reclaim the log"
    )]
    HadEvents,
    /// Everything is in the store, but on PostgreSQL transactions that read events were in the way for 30
    /// seconds. It is still closed: run the same import again.
    #[error("everything is imported, but the log was not opened: {0}")]
    NotOpened(#[source] FreezeError),
    /// The log is frozen.
    #[error(transparent)]
    LogClosed(#[from] LogClosed),
    /// An event could not be appended to a store that has others.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// What was imported could not be read back.
    #[error(transparent)]
    ReadBack(#[from] ReadError),
    /// The database refused or failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl ImportError {
    /// Whether the same may well succeed when it is run again.
    ///
    /// ```
    /// use diesel_event_store::transfer::ImportError;
    ///
    /// assert!(!ImportError::from(diesel::result::Error::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotOpened(error) => error.is_retryable(),
            Self::Partly { error, .. } => error.is_retryable(),
            _ => self.database_error().is_some_and(DatabaseError::is_retryable),
        }
    }

    /// After so many events were appended.
    pub(super) fn after(self, events: u64) -> Self {
        match events {
            0 => self,
            _ => Self::Partly { events, error: self.into() },
        }
    }
}

operation_error!(ImportError);

/// Why a log has not received what it was to receive.
#[derive(Debug)]
pub(super) enum ReceiveError {
    /// Another process fills it.
    Overtaken,
    /// It has something that does not fit the events.
    Occupied(&'static str),
    NotOpened(FreezeError),
    Database(DatabaseError),
}

impl From<FreezeError> for ReceiveError {
    fn from(error: FreezeError) -> Self {
        match error {
            FreezeError::Database(error) => Self::Database(error),
            error => Self::NotOpened(error),
        }
    }
}

impl From<diesel::result::Error> for ReceiveError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<ReceiveError> for ImportError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Overtaken => Self::Overtaken,
            ReceiveError::Occupied(what) => Self::Occupied { what },
            ReceiveError::NotOpened(error) => Self::NotOpened(error),
            ReceiveError::Database(error) => Self::Database(error),
        }
    }
}

/// What is wrong with a line of a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileProblem {
    /// It holds streams that were archived, and no whole log.
    #[error("this is an archive: it is not imported, but restored into the log that it was taken from")]
    Archive,
    /// It holds a whole log, or a part of one, and no archive.
    #[error("this is an exported log, and no archive")]
    NotAnArchive,
    /// It does not begin with the header of a log.
    #[error("this is not the header of an exported log")]
    NotALog,
    /// A newer version of this crate has written it.
    #[error("the file has format {format}, and this version reads format 1")]
    #[non_exhaustive]
    Format {
        /// Of the file.
        format: u32,
    },
    /// The header says that earlier events are in another file.
    #[error(
        "the file begins after position {after}; only files that begin with the first event are imported"
    )]
    #[non_exhaustive]
    Continues {
        /// The position.
        after: i64,
    },
    /// It cannot be read.
    #[error("{reason}")]
    #[non_exhaustive]
    Malformed {
        /// The field, and what is wrong.
        reason: String,
    },
    /// This line, or one before it, was changed, removed, doubled or put elsewhere.
    #[error("the check does not fit: this line or the one before it was changed, removed or put elsewhere")]
    Altered,
    /// The content can be read, but an export writes it otherwise.
    #[error("{field} is not written as an export writes it")]
    #[non_exhaustive]
    WrittenOtherwise {
        /// Where it begins to differ.
        field: String,
    },
    /// A line of this kind does not belong here, or it does not follow the one before: the position of an
    /// event is not above, or something stands there twice.
    #[error("{what} does not belong here")]
    #[non_exhaustive]
    Order {
        /// The kind of line.
        what: &'static str,
    },
    /// The version does not follow the one before.
    #[error("version {found} of {stream} does not follow; {expected} is missing")]
    #[non_exhaustive]
    Version {
        /// The stream.
        stream: StreamId,
        /// What should stand here.
        expected: i64,
        /// What stands here.
        found: i64,
    },
    /// The file was cut.
    #[error("the file ends without its trailer")]
    Cut,
    /// The trailer is not that of these lines.
    #[error("the trailer says that {field} is {expected}, and it is {found}")]
    #[non_exhaustive]
    Trailer {
        /// Its field.
        field: &'static str,
        /// What the trailer says.
        expected: String,
        /// What it is.
        found: String,
    },
    /// There is more behind the trailer.
    #[error("the file goes on behind its trailer")]
    AfterTrailer,
    /// The file was changed while it was imported.
    #[error("the file has changed since it was checked: its log is {log_id} now")]
    #[non_exhaustive]
    Changed {
        /// What stands there now.
        log_id: Uuid,
    },
}

impl FileProblem {
    pub(super) fn malformed(reason: impl ToString) -> Self {
        Self::Malformed { reason: reason.to_string() }
    }

    pub(super) fn at(self, line: u64) -> ImportError {
        ImportError::File { line, problem: self }
    }
}

impl From<serde_json::Error> for FileProblem {
    fn from(error: serde_json::Error) -> Self {
        Self::malformed(error)
    }
}

impl From<InvalidInput> for FileProblem {
    fn from(invalid: InvalidInput) -> Self {
        Self::malformed(invalid)
    }
}
