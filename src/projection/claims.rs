//! How a worker comes by a partition.

use diesel::result::QueryResult;

use super::activity::refuse_inactive;
use super::apply::{Applier, Pause};
use super::definition::Projection;
use super::error::ProjectionError;
use crate::model::partition::{Partition, PartitionKey};
use crate::model::position::Position;
use crate::model::timestamp;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::tables::NewPartition;
use crate::storage::transaction::in_transaction;

/// The partitions of a projection, which are created if nobody has run it yet.
pub(super) fn partitions<C: EventConnection>(
    conn: &mut C,
    projection: &Projection<C>,
) -> Result<Vec<Partition>, ProjectionError> {
    let known = conn.database().partitions(&projection.id)?;
    if !known.is_empty() {
        return Ok(known);
    }
    in_transaction(conn, |conn| create(conn, projection))?;
    Ok(conn.database().partitions(&projection.id)?)
}

/// Whoever creates the first creates the others, too: somebody else waits for it, and then finds that they are there.
fn create<C: EventConnection>(conn: &mut C, projection: &Projection<C>) -> Result<(), ProjectionError> {
    let create = |conn: &mut C, number| {
        let key = PartitionKey { projection: projection.id.clone(), number };
        conn.database().create_partition(&NewPartition {
            key: &key,
            count: projection.partitions,
            position: Position::START,
            last_event_id: None,
            token: 0,
            now: timestamp::now(),
        })
    };
    create(conn, 0)?;
    let known = conn.database().partitions(&projection.id)?;
    if known.len() == 1 && known[0].count == projection.partitions {
        (1..projection.partitions).try_for_each(|number| create(conn, number))?;
    }
    Ok(())
}

/// Claims a partition; `None` if somebody else has it.
pub(super) fn claim<'p, C: EventConnection>(
    conn: &mut C,
    projection: &'p Projection<C>,
    partition: &Partition,
    owner: &str,
    pause: &'p Pause<'p>,
) -> Result<Option<Applier<'p, C>>, ProjectionError> {
    refuse_inactive(partition)?;
    if !conn.database().claim(&partition.key, owner, projection.lease)? {
        return Ok(None);
    }
    let row = find(conn, &partition.key)?;
    let row = row.filter(|row| row.owner.as_deref() == Some(owner));
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Applier::new(projection, pause, row)))
}

pub(super) fn find<C: EventConnection>(conn: &mut C, key: &PartitionKey) -> QueryResult<Option<Partition>> {
    conn.database().partition(key)
}
