//! A runner that was started again under a name of its own takes back what it had.

use std::time::Duration;

use diesel::result::QueryResult;

use crate::model::partition::Partition;
use crate::model::projection_id::ProjectionId;
use crate::storage::connection::{EventConnection, HasDatabase};

/// Ends the leases of earlier workers of this name. A worker that lives after all is fenced as soon as the
/// partition is claimed.
pub(super) fn replace<C: EventConnection>(
    conn: &mut C,
    projection: &ProjectionId,
    partitions: &[Partition],
    name: &str,
) -> QueryResult<()> {
    for worker in conn.database().workers(projection)?.iter().filter(|worker| is_named(worker, name)) {
        conn.database().forget_worker(projection, worker)?;
    }
    for partition in partitions {
        if partition.owner.as_deref().is_some_and(|owner| is_named(owner, name)) {
            conn.database().release(&partition.clone().claimed(Duration::ZERO))?;
        }
    }
    Ok(())
}

/// A worker is its name, and a unique id behind it.
fn is_named(worker: &str, name: &str) -> bool {
    worker.rsplit_once(' ').is_some_and(|(worker, _)| worker == name)
}
