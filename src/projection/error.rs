use std::error::Error as StdError;
use std::time::Duration;

use super::handler::FailureKind;
use crate::model::invalid::InvalidInput;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::storage::error::DatabaseError;
use crate::storage::read::ReadError;

/// Why a projection was not applied, or an operation on it not done.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::projection::{Projection, ProjectionError};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let nameless = Projection::new("", 1, |_conn: &mut SqliteConnection, _event| Ok(()));
/// match nameless.catch_up(&mut conn) {
///     Err(ProjectionError::Invalid(invalid)) => assert_eq!(invalid.field(), "projection_name"),
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectionError {
    /// Something that cannot be.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// An event could not be applied, and the projection's policy is to stop. Everything before it is applied. Mend the
    /// handler, and call [`resume`](super::resume).
    #[error(
        "{projection} version {version} has stopped before the event at position {position} of {stream}, after \
         {attempts} attempts: {source}"
    )]
    #[non_exhaustive]
    Failed {
        /// The name of the projection.
        projection: String,
        /// Its version.
        version: i32,
        /// The position of the event.
        position: Position,
        /// The stream of the event.
        stream: StreamId,
        /// Of what kind the failure is.
        kind: FailureKind,
        /// How often the handler was given the event.
        attempts: i32,
        /// What the handler has said.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A partition has stopped earlier, and nobody has called [`resume`](super::resume) since.
    #[error(
        "partition {partition} of {projection} version {version} has stopped: {error}; mend it, and call `resume`"
    )]
    #[non_exhaustive]
    HasFailed {
        /// The name of the projection.
        projection: String,
        /// Its version.
        version: i32,
        /// The number of the partition.
        partition: i32,
        /// Why it has stopped.
        error: String,
    },
    /// Another worker is at it.
    #[error("partition {partition} of {projection} version {version} is leased to the worker {owner}")]
    #[non_exhaustive]
    Owned {
        /// The name of the projection.
        projection: String,
        /// Its version.
        version: i32,
        /// The number of the partition.
        partition: i32,
        /// The other worker.
        owner: String,
    },
    /// The partition was taken over, reset or retired while a batch was applied. The batch is rolled back.
    #[error(
        "{projection} version {version} has lost partition {partition} while it was applying a batch for {took:?}; \
         if nobody has reset it, its lease of {lease:?} is too short for its batches"
    )]
    #[non_exhaustive]
    LeaseLost {
        /// The name of the projection.
        projection: String,
        /// Its version.
        version: i32,
        /// The number of the partition.
        partition: i32,
        /// How long the batch has taken.
        took: Duration,
        /// The lease.
        lease: Duration,
    },
    /// The handler has ended the transaction that it was lent. What it has committed is committed without the checkpoint, and
    /// may be applied again: look at it before you call [`resume`](super::resume).
    #[error(
        "the handler of {projection} version {version} has committed or rolled back the transaction it was lent"
    )]
    #[non_exhaustive]
    TransactionEnded {
        /// The name of the projection.
        projection: String,
        /// Its version.
        version: i32,
    },
    /// The checkpoint lies beyond the end of the log, or the event that was applied last is not in it: another log, or an
    /// older copy of it, was put in place. Nothing is applied; call [`reset`](super::reset) to build the read model anew.
    #[error(
        "{projection} version {version} has applied the log up to position {checkpoint}, but the log ends at {last} and \
         does not hold what was applied: was a backup restored? Build the read model anew after a `reset`"
    )]
    #[non_exhaustive]
    OtherLog {
        /// The name of the projection.
        projection: String,
        /// Its version.
        version: i32,
        /// Where its checkpoint is.
        checkpoint: Position,
        /// Where the log ends.
        last: Position,
    },
    /// A newer version was promoted in its place.
    #[error("{projection} version {version} is retired: a newer version was promoted")]
    #[non_exhaustive]
    Retired {
        /// The name of the projection.
        projection: String,
        /// Its version.
        version: i32,
    },
    /// It has not come as far as an older version, in whose place it was to be put.
    #[error(
        "{projection} version {version} is at position {reached}, and an older version at {wanted}: let it catch up first"
    )]
    #[non_exhaustive]
    Behind {
        /// The name of the projection.
        projection: String,
        /// The version.
        version: i32,
        /// Where it is.
        reached: Position,
        /// Where the older version is.
        wanted: Position,
    },
    /// There is no such projection: nobody has run it yet.
    #[error("there is no projection {projection} version {version}: nobody has run it yet")]
    #[non_exhaustive]
    Unknown {
        /// The name of the projection.
        projection: String,
        /// The version.
        version: i32,
    },
    /// It has not come so far in time.
    #[error("{projection} version {version} is at position {reached} and not at {wanted} after {waited:?}")]
    #[non_exhaustive]
    TimedOut {
        /// The name of the projection.
        projection: String,
        /// The version.
        version: i32,
        /// Where it is.
        reached: Position,
        /// Where it was to be.
        wanted: Position,
        /// How long it was waited for.
        waited: Duration,
    },
    /// No connection could be had.
    #[error("no connection could be had: {0}")]
    Connect(#[source] Box<dyn StdError + Send + Sync>),
    /// The database did not do it.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl ProjectionError {
    /// Whether the same may well succeed when it is run again.
    ///
    /// ```
    /// use diesel_event_store::projection::ProjectionError;
    ///
    /// assert!(!ProjectionError::from(diesel::result::Error::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Database(error) => error.is_retryable(),
            Self::LeaseLost { .. }
            | Self::Owned { .. }
            | Self::Behind { .. }
            | Self::TimedOut { .. }
            | Self::Connect(_) => true,
            _ => false,
        }
    }
}

impl From<diesel::result::Error> for ProjectionError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<ReadError> for ProjectionError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Invalid(invalid) => invalid.into(),
            ReadError::Database(error) => error.into(),
        }
    }
}
