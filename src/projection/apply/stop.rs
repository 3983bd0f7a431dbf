//! Why no further events are applied for now.

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
    Stop(Stop),
}

impl<E: Into<ProjectionError>> From<E> for Rollback {
    fn from(error: E) -> Self {
        Self::Stop(error.into().into())
    }
}

impl Rollback {
    /// Where no handler has run, only the database can have failed.
    pub(super) fn into_stop(self) -> Stop {
        match self {
            Self::Stop(stop) => stop,
            Self::Handler(error) => match error.into_error().downcast::<DatabaseError>() {
                Ok(error) => ProjectionError::Database(*error).into(),
                Err(error) => panic!("no handler has run, and yet it failed: {error}"),
            },
        }
    }
}

/// For a handler's error that does not count and is not tried again here.
pub(super) fn run_again(projection: &ProjectionId, position: Position, error: HandlerError) -> Stop {
    let projection = projection.clone();
    ProjectionError::RunAgain { projection, position, source: error.into_error() }.into()
}

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
