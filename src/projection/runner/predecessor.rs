//! A runner that was started again under a name of its own takes back what it had.

use std::time::Duration;

use diesel::result::QueryResult;

use crate::model::partition::Partition;
use crate::model::projection_id::ProjectionId;
use crate::storage::partitions::Partitions;
use crate::storage::workers::Workers;

/// Ends the leases of earlier workers of this name. A worker that lives after all is fenced as soon as the
/// partition is claimed.
pub(super) async fn replace<D: Partitions + Workers>(
    database: &mut D,
    projection: &ProjectionId,
    partitions: &[Partition],
    name: &str,
) -> QueryResult<()> {
    for worker in database.workers(projection).await?.iter().filter(|worker| is_named(worker, name)) {
        database.forget_worker(projection, worker).await?;
    }
    for partition in partitions {
        if partition.owner.as_deref().is_some_and(|owner| is_named(owner, name)) {
            database.release(&partition.clone().claimed(Duration::ZERO)).await?;
        }
    }
    Ok(())
}

/// A worker is its name, and a unique id behind it.
fn is_named(worker: &str, name: &str) -> bool {
    worker.rsplit_once(' ').is_some_and(|(worker, _)| worker == name)
}
