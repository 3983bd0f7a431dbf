use uuid::Uuid;

use crate::model::invalid::InvalidInput;
use crate::model::log_state::LogClosed;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::stream_id::StreamId;
use crate::storage::error::{DatabaseError, OperationError, operation_error};
use crate::storage::read::ReadError;
use crate::transfer::error::{ExportError, ImportError};

/// Why streams were not archived, or not restored. What is in the log and what is in a file are whole, so the
/// same can be done again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The connection is in a transaction. Archiving and restoring commit transactions of their own.
    #[error("archiving and restoring commit transactions of their own, and the connection is in one already")]
    InTransaction,
    /// A projection has not applied all of these events, or has parked one of them. Let it catch up, or retry
    /// or discard the parked event.
    #[error(
        "events before position {before} cannot be archived: {projection} {} position {position}",
        why(.is_parked)
    )]
    #[non_exhaustive]
    HeldBack {
        /// What was asked for, or the end of the log.
        before: Position,
        /// The projection.
        projection: ProjectionId,
        /// How far it has come, or where the parked event is. Streams that end before can be archived.
        position: Position,
        /// Whether there is a parked event.
        is_parked: bool,
    },
    /// The file was taken from another log.
    #[error("the file is from the log {found}, and this is the log {expected}")]
    #[non_exhaustive]
    OtherLog {
        /// The id of this log.
        expected: Uuid,
        /// That of the log in the file.
        found: Uuid,
    },
    /// The file has the last event of the log, or one beyond. That one stays: it says where the log ends.
    #[error("the file goes up to position {position}, and the last event of the log is not removed")]
    #[non_exhaustive]
    AtTheEnd {
        /// Of the last event in the file.
        position: Position,
    },
    /// The log has another event where the file has this one, or none, and none was archived there.
    #[error("line {line}: the log does not have this event at position {position}")]
    #[non_exhaustive]
    Differs {
        /// Of the file, counted from 1.
        line: u64,
        /// The position of the event.
        position: Position,
    },
    /// Later events of the stream are not in the log. Restore the archive that has them first.
    #[error(
        "line {line}: {stream} ends in the file with version {ends}, and begins in the log with {begins}"
    )]
    #[non_exhaustive]
    Gap {
        /// Of the file, counted from 1.
        line: u64,
        /// The stream.
        stream: StreamId,
        /// The last version in the file.
        ends: i64,
        /// The first version in the log.
        begins: i64,
    },
    /// The log takes no events: it moves, or an import fills it.
    #[error(transparent)]
    LogClosed(#[from] LogClosed),
    /// What was asked for cannot be.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The file could not be written, or the log not read.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The file could not be read, or is no whole archive.
    #[error(transparent)]
    File(#[from] ImportError),
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The database refused or failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl ArchiveError {
    /// Whether the same may well succeed when it is run again.
    ///
    /// ```
    /// use diesel_event_store::transfer::ArchiveError;
    ///
    /// assert!(!ArchiveError::InTransaction.is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Read(error) => error.is_retryable(),
            Self::Export(error) => error.is_retryable(),
            _ => self.database_error().is_some_and(DatabaseError::is_retryable),
        }
    }
}

operation_error!(ArchiveError);

fn why(is_parked: &bool) -> &'static str {
    if *is_parked { "has parked the event at" } else { "has only come to" }
}
