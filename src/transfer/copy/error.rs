use super::difference::Difference;
use crate::model::invalid::InvalidInput;
use crate::model::log_state::LogClosed;
use crate::model::position::Position;
use crate::operate::FreezeError;
use crate::storage::error::{DatabaseError, OperationError, operation_error};
use crate::storage::migrations::MigrationError;
use crate::storage::read::ReadError;
use crate::transfer::error::ReceiveError;

/// Why a log was not copied, or not to its end. Never are both logs open, and nothing is lost: call it again
/// once the reason is gone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// A connection is in a transaction. A copy commits several.
    #[error("a copy commits several transactions, and a connection is in one of the application's")]
    InTransaction,
    /// The place where the log moves cannot be said in an error.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The source is filled by an import, was frozen by hand, or has moved to another database.
    #[error("the source cannot be copied: {0}")]
    SourceClosed(LogClosed),
    /// The target is frozen, and has another log than the source.
    #[error("the target has another log: {0}")]
    TargetClosed(LogClosed),
    /// The target is in use: it is open and has events.
    #[error("the target is open and has events; copy into a new database")]
    TargetInUse,
    /// The target has no events, but something else that a copy brings.
    #[error("the target has no events, but {what}, which would not fit; copy into a new database")]
    #[non_exhaustive]
    Occupied {
        /// What it has.
        what: &'static str,
    },
    /// The target is the source, or was made of its files: both are open, and have the same id.
    #[error("the source and the target are the same log, and both are open")]
    SameLog,
    /// An import or the copy of another log fills the target.
    #[error("something else fills the target ({note}); end that, or discard it")]
    #[non_exhaustive]
    OtherCopy {
        /// JSON: what, and how far it has come.
        note: String,
    },
    /// Another process has gone on with this copy, or has abandoned it.
    #[error("another process copies into the same target, or has abandoned the copy")]
    Overtaken,
    /// The source does not have the events that the target has. It was restored from a backup perhaps, or has
    /// lost commits in a fail-over. Or what is left of archived events differs: then the copy is abandoned, and
    /// if the source was frozen for it, it is open again.
    #[error("up to position {position} the source and the target do not have the same events")]
    #[non_exhaustive]
    Diverged {
        /// Where the target is.
        position: Position,
    },
    /// What the target has is not what was copied. The copy is abandoned, and if the source was frozen for
    /// it, it is open again.
    #[error("the logs differ: {0}")]
    Differs(Difference),
    /// Streams of one side were archived or restored after they were copied. A copy that is under way is
    /// abandoned, and the source is open again. Copy into a new database, or
    /// [discard](super::super::discard()) what the target has.
    #[error(
        "streams were archived or restored after they were copied: only one of the logs has the event at \
         position {position}"
    )]
    #[non_exhaustive]
    ArchivedSince {
        /// Of the first such event.
        position: Position,
    },
    /// A checkpoint never arrives without its read model, unless that is said.
    #[error(
        "it is not said whether the read models of these projections move along (keep), or are built again \
         (rebuild): {}", .projections.join(", ")
    )]
    #[non_exhaustive]
    Undecided {
        /// Their names.
        projections: Vec<String>,
    },
    /// The source has no such projection, so it is neither kept nor rebuilt.
    #[error("the source has no projection {projection}")]
    #[non_exhaustive]
    UnknownProjection {
        /// Its name.
        projection: String,
    },
    /// A projection is to be kept and to be rebuilt.
    #[error("{projection} cannot be kept and be rebuilt")]
    #[non_exhaustive]
    Contradiction {
        /// Its name.
        projection: String,
    },
    /// Whoever was asked did not want to switch. The next call goes on.
    #[error("not switched: the source is in use as before, and the target is filled up to here")]
    NotSwitched,
    /// [`CopyControl::goes_on`](super::CopyControl::goes_on) did not want to. The next call goes on.
    #[error("stopped after a batch: the source is in use as before, and the target is filled up to here")]
    Stopped,
    /// [`CopyControl::resumes_switch`](super::CopyControl::resumes_switch) did not want to finish a switch
    /// that an earlier call has begun. Both logs stay closed: copy again, or [`abandon`](super::abandon()).
    #[error("the source is frozen for this copy already: finish the switch, or abandon the copy")]
    MidSwitch,
    /// Somebody has opened the source in the middle of the switch. The target stays closed, and the next call
    /// goes on.
    #[error("the source was opened in the middle of the switch; the target stays closed")]
    SourceOpened,
    /// The read models that are kept could not be copied. The source is frozen for this copy: copy again, or
    /// [`abandon`](super::abandon()).
    #[error("the read models were not copied: {0}")]
    ReadModels(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Transactions were in the way and did not end in time: on the source, or on a target that is on PostgreSQL,
    /// where transactions that have only read events are, too; in a target to which the log moves back they are
    /// on MySQL and MariaDB as well. If the source could not be frozen, or the target could not be closed, the
    /// source is in use as before; later than that, both logs are closed. Copy again, or
    /// [`abandon`](super::abandon()). Or a log that was to be opened has moved, or is filled by an import.
    #[error(transparent)]
    Freeze(FreezeError),
    /// What was to be [reclaimed](super::reclaim()) is not what was copied. It stays closed.
    #[error("up to position {position} the log does not have the events that were copied into it")]
    #[non_exhaustive]
    Altered {
        /// How far the copy has come.
        position: Position,
    },
    /// The tables of the target could not be created.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// A log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A database refused or failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl CopyError {
    /// Whether the same may well succeed when it is called again, on new connections.
    ///
    /// ```
    /// use diesel_event_store::transfer::CopyError;
    ///
    /// assert!(!CopyError::InTransaction.is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Freeze(error) => error.is_retryable(),
            Self::Migration(error) => error.is_retryable(),
            Self::Read(error) => error.is_retryable(),
            _ => self.database_error().is_some_and(DatabaseError::is_retryable),
        }
    }
}

operation_error!(CopyError);

impl From<FreezeError> for CopyError {
    fn from(error: FreezeError) -> Self {
        match error {
            FreezeError::InTransaction => Self::InTransaction,
            FreezeError::Invalid(invalid) => Self::Invalid(invalid),
            FreezeError::Database(error) => Self::Database(error),
            error => Self::Freeze(error),
        }
    }
}

impl From<ReceiveError> for CopyError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Overtaken => Self::Overtaken,
            ReceiveError::Occupied(what) => Self::Occupied { what },
            ReceiveError::NotOpened(error) => error.into(),
            ReceiveError::Database(error) => Self::Database(error),
        }
    }
}
