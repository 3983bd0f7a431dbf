//! The partitions of a projection, which are rows of `projection_checkpoints`.

use super::definition::Projection;
use super::error::ProjectionError;
use super::kind::Kind;
use super::link::Database;
use crate::model::partition::{Partition, PartitionKey};
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::timestamp;
use crate::storage::partitions::{NewPartition, Partitions};
use crate::storage::transactions::Open;

/// Of a projection that was run at least once: one or more.
pub(super) async fn known<D: Partitions>(
    database: &mut D,
    projection: &ProjectionId,
) -> Result<Vec<Partition>, ProjectionError> {
    let partitions = database.partitions(projection).await?;
    if partitions.is_empty() {
        return Err(ProjectionError::Unknown { projection: projection.clone() });
    }
    Ok(partitions)
}

/// Creates them if the projection was never run before.
pub(super) async fn find_or_create<D: Database, C, K: Kind>(
    database: &mut D,
    projection: &Projection<C, K>,
) -> Result<Vec<Partition>, ProjectionError> {
    let known = database.partitions(&projection.id).await?;
    if !known.is_empty() {
        return Ok(known);
    }
    // Outside of the transaction, in which not every database can tell where the log ends.
    let position = projection.start_from.resolve(database).await?;
    let mut open = Open::begin(database).await?;
    let outcome = create_all(&mut *open.database, &projection.id, projection.partitions, position).await;
    open.end(outcome).await?;
    Ok(database.partitions(&projection.id).await?)
}

/// The worker that creates the first creates the others, too: another one waits for it, and then finds that
/// they are there.
async fn create_all<D: Partitions>(
    database: &mut D,
    projection: &ProjectionId,
    count: i32,
    position: Position,
) -> Result<(), ProjectionError> {
    create(database, PartitionKey { projection: projection.clone(), number: 0 }, count, position).await?;
    let known = database.partitions(projection).await?;
    if known.len() == 1 && known[0].count == count {
        for number in 1..count {
            create(database, PartitionKey { projection: projection.clone(), number }, count, position)
                .await?;
        }
    }
    Ok(())
}

async fn create<D: Partitions>(
    database: &mut D,
    key: PartitionKey,
    count: i32,
    position: Position,
) -> Result<(), ProjectionError> {
    // Below the first token is only a checkpoint that the application keeps itself.
    let first = NewPartition::alone(key, position, timestamp::now());
    let first = NewPartition { count, token: Partition::FIRST_TOKEN, ..first };
    Ok(database.create_partition(&first).await?)
}
