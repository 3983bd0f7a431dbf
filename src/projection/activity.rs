//! Whether a partition can be applied at all.

use super::error::ProjectionError;
use crate::model::partition::{Partition, State};
use crate::model::projection_id::ProjectionId;

pub(super) fn refuse_inactive(partition: &Partition) -> Result<(), ProjectionError> {
    let ProjectionId { name, version } = &partition.key.projection;
    let (projection, version) = (name.clone(), *version);
    match partition.state {
        State::Active => Ok(()),
        State::Retired => Err(ProjectionError::Retired { projection, version }),
        State::Failed => {
            let error = partition.last_error.clone().unwrap_or_default();
            Err(ProjectionError::HasFailed { projection, version, partition: partition.key.number, error })
        }
    }
}

/// What another version has replaced stays so.
pub(super) fn refuse_retired(partition: &Partition) -> Result<(), ProjectionError> {
    if partition.state == State::Retired { refuse_inactive(partition) } else { Ok(()) }
}
