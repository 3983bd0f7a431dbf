//! Whether a partition can be applied at all.

use super::error::ProjectionError;
use crate::model::partition::{Partition, PartitionKey, State};

pub(super) fn refuse_inactive(partition: &Partition) -> Result<(), ProjectionError> {
    let PartitionKey { projection, number } = partition.key.clone();
    match partition.state {
        State::Active => Ok(()),
        State::Retired => Err(ProjectionError::Retired { projection }),
        State::Failed => {
            let error = partition.last_error.clone().unwrap_or_default();
            Err(ProjectionError::HasFailed { projection, partition: number, error })
        }
    }
}

/// What another version has replaced stays so.
pub(super) fn refuse_retired(partition: &Partition) -> Result<(), ProjectionError> {
    if partition.state == State::Retired { refuse_inactive(partition) } else { Ok(()) }
}
