use crate::model::parked::ParkedEvent;
use crate::model::partition::Partition;
use crate::model::projection_id::ProjectionId;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::error::DatabaseError;

/// The checkpoints of all projections, and the events that they have parked.
pub(super) struct Projections {
    pub(super) partitions: Vec<Partition>,
    pub(super) parked: Vec<(ProjectionId, ParkedEvent)>,
}

impl Projections {
    /// All in one state: an event is applied or parked, and not both.
    pub(super) fn read<C: EventConnection + ?Sized>(conn: &mut C) -> Result<Self, DatabaseError> {
        conn.database().begin_snapshot()?;
        let found = Self::read_each(conn);
        conn.database().end_snapshot()?;
        found
    }

    fn read_each<C: EventConnection + ?Sized>(conn: &mut C) -> Result<Self, DatabaseError> {
        let (partitions, mut parked) = (conn.database().every_partition()?, Vec::new());
        for projection in ids(&partitions) {
            let events = conn.database().parked(projection)?;
            parked.extend(events.into_iter().map(|event| (projection.clone(), event)));
        }
        Ok(Self { partitions, parked })
    }

    /// Without those for which that does not hold.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(&ProjectionId) -> bool) {
        self.partitions.retain(|partition| is_wanted(&partition.key.projection));
        self.parked.retain(|(projection, _)| is_wanted(projection));
    }
}

/// Of partitions that are in the order of their projections.
pub(super) fn ids(partitions: &[Partition]) -> Vec<&ProjectionId> {
    let mut ids: Vec<_> = partitions.iter().map(|partition| &partition.key.projection).collect();
    ids.dedup();
    ids
}
