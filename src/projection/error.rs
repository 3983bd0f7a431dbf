use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::failure_kind::FailureKind;
use crate::model::invalid::InvalidInput;
use crate::model::partition::PartitionKey;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
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
    /// A name, an option or an argument is invalid. Nothing was done.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// An event could not be applied, and the projection's policy is to stop. Everything before it is
    /// applied. Fix the handler, then call [`resume`](super::resume).
    #[error(
        "{projection} has stopped before the event at position {position} of {stream}, after \
         {attempts} attempts: {source}"
    )]
    #[non_exhaustive]
    Failed {
        /// The projection.
        projection: ProjectionId,
        /// The position of the event. If a handler of batches has failed and its connection is lost, too,
        /// [`catch_up`](super::Projection::catch_up) cannot find out which: then that of the first of the
        /// batch.
        position: Position,
        /// The stream of that event.
        stream: StreamId,
        /// The kind of failure.
        kind: FailureKind,
        /// How often the handler was given the event.
        attempts: i32,
        /// The handler's error.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A partition has stopped earlier, and was not [resumed](super::resume) since.
    #[error("partition {partition} of {projection} has stopped: {error}; fix the cause, then call `resume`")]
    #[non_exhaustive]
    HasFailed {
        /// The projection.
        projection: ProjectionId,
        /// The number of the partition.
        partition: i32,
        /// Why it has stopped.
        error: String,
    },
    /// Another worker has the lease of the partition.
    #[error(
        "partition {partition} of {projection} is leased to {owner}; stop that worker, or wait until its lease \
         has run out"
    )]
    #[non_exhaustive]
    Owned {
        /// The projection.
        projection: ProjectionId,
        /// The number of the partition.
        partition: i32,
        /// The worker that has the lease.
        owner: String,
    },
    /// The partition was taken over, reset, promoted away or retired. A batch that was being applied is rolled
    /// back.
    #[error(
        "{projection} has lost partition {partition}: another worker has taken it over, or it was reset, promoted \
         or retired. Its lease of {lease:?} was renewed {since_renewed:?} ago; if that is longer, the lease is too \
         short for its batches"
    )]
    #[non_exhaustive]
    LeaseLost {
        /// The projection.
        projection: ProjectionId,
        /// The number of the partition.
        partition: i32,
        /// The lease.
        lease: Duration,
        /// How long ago it was taken or renewed, for the last time.
        since_renewed: Duration,
    },
    /// The handler has ended the transaction that it was lent, whether it has failed then or not. What it has
    /// committed is committed without the checkpoint, and may be applied again: look at it before you call
    /// [`resume`](super::resume). On MySQL and MariaDB, DDL commits; and a deadlock, of which the handler's
    /// error does not tell, has ended the transaction, too.
    #[error("the handler of {projection} has committed or rolled back the transaction it was lent")]
    #[non_exhaustive]
    TransactionEnded {
        /// The projection.
        projection: ProjectionId,
    },
    /// The log has not assigned the checkpoint's position yet, or has another event where the last one was
    /// applied: another log, or an older copy of it, was put in place. Nothing is applied; call
    /// [`reset`](super::reset) to rebuild the read model. Events that were erased or archived do not lead to
    /// this.
    #[error(
        "{projection} has applied the log up to position {checkpoint}, but the log ends at {last} and \
         does not hold what was applied: was a backup restored? Rebuild the read model with `reset`"
    )]
    #[non_exhaustive]
    OtherLog {
        /// The projection.
        projection: ProjectionId,
        /// Where its checkpoint is.
        checkpoint: Position,
        /// Where the log ends.
        last: Position,
    },
    /// The handler failed with an error that may not come again (a deadlock, a lock, a lost race), and this
    /// call does not try again, or not any longer. The batch is rolled back. Inside a transaction of the
    /// application, run the outermost transaction again. A runner tries again by itself; if it meets nothing else
    /// for five minutes, the partition stops with this error.
    #[error(
        "{projection} could not apply the event at position {position}, and may be able to when it is run again \
         (inside a transaction: the outermost one): {source}"
    )]
    #[non_exhaustive]
    RunAgain {
        /// The projection.
        projection: ProjectionId,
        /// The position of the event, or of the first of the batch.
        position: Position,
        /// What the handler said.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The connection was lost that the handler was lent, and the batch is rolled back. A runner deals with what
    /// the handler said on its next connection: see [what happens to events that
    /// fail](crate::guide::projections#what-happens-to-events-that-fail).
    #[error(
        "{projection} has lost its connection while the handler had it, at position {position}; what the handler \
         said: {failure}; {source}"
    )]
    #[non_exhaustive]
    ConnectionLost {
        /// The projection.
        projection: ProjectionId,
        /// The position of the event, or of the first of the batch.
        position: Position,
        /// What the handler said.
        failure: String,
        /// What the database said then.
        source: DatabaseError,
    },
    /// The handler has not returned, and the lease has run out under which it was called. The runner cannot
    /// interrupt it: another worker may take the partition over, and what this one has written is rolled back
    /// then. A handler that writes on a second connection waits for itself where it needs a lock that its own
    /// transaction holds.
    #[error(
        "the handler of {projection} has not returned since {since}, when partition {partition} gave it events from \
         position {position} on: its lease of {lease:?} has run out. If it writes on a second connection, it waits \
         for itself: write on the connection that it is lent"
    )]
    #[non_exhaustive]
    HasNotReturned {
        /// The projection.
        projection: ProjectionId,
        /// The number of the partition.
        partition: i32,
        /// The position of the first event that it was given.
        position: Position,
        /// When it was called, by the clock of this machine.
        since: DateTime<Utc>,
        /// The lease.
        lease: Duration,
    },
    /// The handler of this release cannot apply the event, and the projection's policy is to
    /// [hand it over](super::OnFailure::HandOver). The partition is free for a worker of another release.
    #[error(
        "{projection} cannot apply the event at position {position} in this release, and leaves partition \
         {partition} to a worker of another one: {source}"
    )]
    #[non_exhaustive]
    HandedOver {
        /// The projection.
        projection: ProjectionId,
        /// The number of the partition.
        partition: i32,
        /// The position of the event.
        position: Position,
        /// The handler's error.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The database refuses to have a failure written down: an event that should be parked, or a partition
    /// that should be marked as failed. The partition has stopped, and the handler is not called again: a
    /// runner keeps it until it can be marked. Remove what the database objects to, then call
    /// [`resume`](super::resume).
    #[error(
        "partition {partition} of {projection} has stopped, because a failure could not be recorded: {source}; the \
         failure was: {failure}"
    )]
    #[non_exhaustive]
    NotRecorded {
        /// The projection.
        projection: ProjectionId,
        /// The number of the partition.
        partition: i32,
        /// What was to be recorded.
        failure: String,
        /// Why it was not.
        source: DatabaseError,
    },
    /// A newer version was promoted in its place.
    #[error("{projection} is retired: a newer version was promoted")]
    #[non_exhaustive]
    Retired {
        /// The projection.
        projection: ProjectionId,
    },
    /// The version to be promoted has not applied as much as an older one.
    #[error("{projection} is at position {reached}, and an older version at {wanted}: let it catch up first")]
    #[non_exhaustive]
    Behind {
        /// The projection.
        projection: ProjectionId,
        /// Where it is.
        reached: Position,
        /// Where the older version is.
        wanted: Position,
    },
    /// There is no such projection: it has never been run.
    #[error("there is no projection {projection}: it has never been run")]
    #[non_exhaustive]
    Unknown {
        /// The projection.
        projection: ProjectionId,
    },
    /// The projection did not reach the position in time.
    #[error("{projection} is at position {reached} and has not reached {wanted} within {waited:?}")]
    #[non_exhaustive]
    TimedOut {
        /// The projection.
        projection: ProjectionId,
        /// Where it is.
        reached: Position,
        /// The position that was waited for.
        wanted: Position,
        /// How long the call has waited.
        waited: Duration,
    },
    /// The runner could not open a connection, or its pool had none to give.
    #[error("failed to get a connection: {0}")]
    Connect(#[source] Box<dyn StdError + Send + Sync>),
    /// The runner cannot have as many connections at the same time as it needs: one per partition that it
    /// applies, and one more. Up to 16 are tried out when it starts; later it reports
    /// [`Connect`](Self::Connect). Make the pool larger, or let fewer partitions be applied by this process.
    #[error(
        "the runner can have only {available} connections at the same time and needs {needed}, one per partition \
         that it applies and one more; make the pool larger: {source}"
    )]
    #[non_exhaustive]
    TooFewConnections {
        /// How many it could get.
        available: usize,
        /// How many it needs.
        needed: usize,
        /// Why it got no more.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The system could not start a thread. A runner that has been started goes on without it, and tries
    /// again.
    #[error("failed to start a thread: {0}")]
    Thread(#[source] io::Error),
    /// Events that the projection has not applied have been archived, so its read model would lack them.
    /// [Start](super::Projection::start_from) a new one after `archived_to`, or put the events back: see
    /// [archiving](crate::guide::archiving).
    #[error(
        "the projection was to go on after position {after}, but events up to position {archived_to} have \
         been archived: start it after that position, or restore them"
    )]
    #[non_exhaustive]
    Archived {
        /// Where it was to go on.
        after: Position,
        /// The position of the last event that is not in the log any more.
        archived_to: Position,
    },
    /// The database returned an error.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl ProjectionError {
    pub(super) fn not_recorded(partition: &PartitionKey, failure: String, source: DatabaseError) -> Self {
        let PartitionKey { projection, number } = partition.clone();
        Self::NotRecorded { projection, partition: number, failure, source }
    }

    /// Whether the same operation may well succeed when it is run again.
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
            | Self::RunAgain { .. }
            | Self::ConnectionLost { .. }
            | Self::HandedOver { .. }
            | Self::Owned { .. }
            | Self::Behind { .. }
            | Self::TimedOut { .. }
            | Self::Connect(_)
            | Self::Thread(_) => true,
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
            ReadError::Archived { after, archived_to } => Self::Archived { after, archived_to },
            ReadError::Database(error) => error.into(),
        }
    }
}
