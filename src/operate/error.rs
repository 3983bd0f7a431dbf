use std::fmt::{self, Display};
use std::time::Duration;

use crate::model::invalid::InvalidInput;
use crate::model::log_state::LogClosed;
use crate::model::log_status::LogHolder;
use crate::model::position::Position;
use crate::storage::error::{DatabaseError, OperationError, operation_error};
use crate::storage::read::ReadError;

/// Why a log was not frozen, or not opened again. It is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FreezeError {
    /// The connection is in a transaction. To close a log, and to open it, takes transactions of its own.
    #[error("a log is frozen and opened in transactions of their own, and the connection is in one already")]
    InTransaction,
    /// The reason cannot be kept.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// Transactions in the way did not end in time. End them, or wait for longer.
    #[error("waited {waited:.1?} for transactions that do not end{}", Named(.by))]
    #[non_exhaustive]
    InTheWay {
        /// How long.
        waited: Duration,
        /// Those transactions, as far as the database tells: see
        /// [`LogStatus::held_back_by`](crate::LogStatus::held_back_by).
        by: Vec<LogHolder>,
    },
    /// An import or a copy fills the log.
    #[error(transparent)]
    LogClosed(#[from] LogClosed),
    /// The log has moved to another database, and never are both open. Copy it back, or, if the other database
    /// is lost, take it back with `transfer::reclaim`.
    #[error(
        "the log has moved to another database ({}), and both must not be open: copy it back from there, or \
         reclaim it if that database is lost", .0.note()
    )]
    HasMoved(LogClosed),
    /// Its row in `event_log` was lost and is [repaired](crate::EventStore::repair), and with it what the log
    /// was closed for: it may be open in another database. If it is not, open it with `transfer::reclaim`.
    #[error(
        "nobody knows any more why the log is {}, and it may be open in another database; if it is not, \
         reclaim it", .0.state()
    )]
    MayHaveMoved(LogClosed),
    /// The database refused or failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl FreezeError {
    /// Whether the same may well succeed when it is run again.
    ///
    /// ```
    /// use diesel_event_store::operate::FreezeError;
    ///
    /// assert!(!FreezeError::InTransaction.is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::InTheWay { .. } => true,
            _ => self.database_error().is_some_and(DatabaseError::is_retryable),
        }
    }
}

operation_error!(FreezeError);

/// Why a log was not sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The connection is in a transaction, which could take the seal back.
    #[error("a seal is written in a transaction of its own, and the connection is in one already")]
    InTransaction,
    /// The last seal is not valid: it was changed by hand. [`verify`](super::verify()) says since when.
    #[error("the seal at {position} holds no chain: it was changed by hand")]
    #[non_exhaustive]
    Unreadable {
        /// Up to where it seals the log.
        position: Position,
    },
    /// An import or a copy fills the log.
    #[error(transparent)]
    LogClosed(#[from] LogClosed),
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The database refused or failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl SealError {
    /// Whether the same may well succeed when it is run again.
    ///
    /// ```
    /// use diesel_event_store::operate::SealError;
    ///
    /// assert!(!SealError::InTransaction.is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Read(error) => error.is_retryable(),
            _ => self.database_error().is_some_and(DatabaseError::is_retryable),
        }
    }
}

operation_error!(SealError);

/// `: 4711 (checkout), order 1`
struct Named<'h>(&'h [LogHolder]);

impl Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, holder) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { ": " } else { ", " })?;
            match (holder.process(), holder.name()) {
                (Some(process), Some(name)) => write!(f, "{process} ({name})")?,
                (Some(process), None) => write!(f, "{process}")?,
                (None, name) => write!(f, "the prepared transaction {}", name.unwrap_or_default())?,
            }
        }
        Ok(())
    }
}
