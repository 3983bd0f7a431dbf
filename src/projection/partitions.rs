//! The partitions of a projection, which are rows of `projection_checkpoints`.

use super::definition::Projection;
use super::error::ProjectionError;
use crate::model::partition::{Partition, PartitionKey};
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::timestamp;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::partitions::NewPartition;
use crate::storage::transactions::in_transaction;

/// Of a projection that was run at least once: one or more.
pub(super) fn known<C: EventConnection + ?Sized>(
    conn: &mut C,
    projection: &ProjectionId,
) -> Result<Vec<Partition>, ProjectionError> {
    let partitions = conn.database().partitions(projection)?;
    if partitions.is_empty() {
        return Err(ProjectionError::Unknown { projection: projection.clone() });
    }
    Ok(partitions)
}

/// Creates them if the projection was never run before.
pub(super) fn find_or_create<C: EventConnection>(
    conn: &mut C,
    projection: &Projection<C>,
) -> Result<Vec<Partition>, ProjectionError> {
    let known = conn.database().partitions(&projection.id)?;
    if !known.is_empty() {
        return Ok(known);
    }
    // Outside of the transaction, in which not every database can tell where the log ends.
    let position = projection.start_from.resolve(conn)?;
    in_transaction(conn, |conn| create(conn, projection, position))?;
    Ok(conn.database().partitions(&projection.id)?)
}

/// The worker that creates the first creates the others, too: another one waits for it, and then finds that
/// they are there.
fn create<C: EventConnection>(
    conn: &mut C,
    projection: &Projection<C>,
    position: Position,
) -> Result<(), ProjectionError> {
    let create = |conn: &mut C, number| {
        let key = PartitionKey { projection: projection.id.clone(), number };
        let count = projection.partitions;
        // Below the first token is only a checkpoint that the application keeps itself.
        let first = NewPartition::alone(&key, position, timestamp::now());
        conn.database().create_partition(&NewPartition { count, token: Partition::FIRST_TOKEN, ..first })
    };
    create(conn, 0)?;
    let known = conn.database().partitions(&projection.id)?;
    if known.len() == 1 && known[0].count == projection.partitions {
        (1..projection.partitions).try_for_each(|number| create(conn, number))?;
    }
    Ok(())
}
