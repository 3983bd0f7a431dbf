//! Why no further events are applied for now.

use std::error::Error as StdError;

use diesel::result::Error;

use crate::model::event::RecordedEvent;
use crate::model::partition::PartitionKey;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::projection::error::ProjectionError;
use crate::projection::handler::HandlerError;
use crate::storage::error::DatabaseError;

/// Why no further events are applied under this lease.
#[derive(Debug)]
pub(in crate::projection) enum Stop {
    /// The caller asked for it.
    Asked,
    /// The partition's row was not as it was known. It is known now: go on from there.
    Moved,
    /// It was reset while nothing was being applied. No worker has it.
    PutBack,
    Error(ProjectionError),
}

impl<E: Into<ProjectionError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Why a step was rolled back.
pub(super) enum Rollback {
    /// The handler has failed.
    Handler(HandlerError),
    /// It has failed, or what came after it, and the connection is of no further use.
    Lost {
        failure: HandlerError,
        broken: Error,
    },
    Stop(Stop),
}

impl<E: Into<ProjectionError>> From<E> for Rollback {
    fn from(error: E) -> Self {
        Self::Stop(error.into().into())
    }
}

impl Rollback {
    /// The handler has had the connection. What it has said, or what has gone wrong then, is not forgotten
    /// for that.
    pub(super) fn on_lost_connection(self, broken: Error) -> Self {
        match self {
            Self::Handler(failure) => Self::Lost { failure, broken },
            Self::Stop(Stop::Error(ProjectionError::Database(error))) => {
                Self::Lost { failure: error.into(), broken }
            }
            other => other,
        }
    }

    /// Where no handler has run, only the database can have failed.
    pub(super) fn into_stop(self) -> Stop {
        match self {
            Self::Stop(stop) => stop,
            Self::Lost { broken, .. } => broken.into(),
            Self::Handler(error) => match error.into_error().downcast::<DatabaseError>() {
                Ok(error) => ProjectionError::Database(*error).into(),
                Err(error) => panic!("no handler has run, and yet it failed: {error}"),
            },
        }
    }
}

/// For a handler's error that does not count and is not tried again here.
pub(super) fn run_again(projection: &ProjectionId, position: Position, error: HandlerError) -> Stop {
    let (projection, is_locked) = (projection.clone(), error.is_locked());
    let source = error.into_error();
    let source = if is_locked { Box::new(InItsOwnWay(source)) } else { source };
    ProjectionError::RunAgain { projection, position, source }.into()
}

/// The projection stops before the event.
pub(super) fn failed(
    projection: &ProjectionId,
    event: &RecordedEvent,
    error: HandlerError,
    attempts: i32,
) -> ProjectionError {
    ProjectionError::Failed {
        projection: projection.clone(),
        position: event.position(),
        stream: event.stream().clone(),
        kind: error.kind(),
        attempts,
        source: error.into_error(),
    }
}

/// For a handler that has had the connection then.
pub(super) fn connection_lost(
    projection: &ProjectionId,
    event: &RecordedEvent,
    failure: &HandlerError,
    broken: Error,
) -> Stop {
    let (projection, position) = (projection.clone(), event.position());
    let (failure, source) = (failure.to_string(), broken.into());
    ProjectionError::ConnectionLost { projection, position, failure, source }.into()
}

/// A lock that is in the way of a handler may be held by the transaction in which the handler is called.
#[derive(Debug, thiserror::Error)]
#[error(
    "a lock was in the way of the handler; if it writes on a second connection, it waits for itself, because \
     the transaction in which it is called holds locks until it has returned: write on the connection that \
     it is lent: {0}"
)]
struct InItsOwnWay(#[source] Box<dyn StdError + Send + Sync>);

/// Where the database refuses to have a failure recorded, to try again would call the handler again and
/// again.
pub(super) fn not_recorded(stop: Stop, partition: &PartitionKey, failure: &HandlerError) -> Stop {
    match stop {
        Stop::Error(ProjectionError::Database(error)) if !error.is_retryable() => {
            ProjectionError::not_recorded(partition, failure.to_string(), error).into()
        }
        other => other,
    }
}
