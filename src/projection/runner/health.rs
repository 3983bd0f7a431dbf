use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::model::partition::{Partition, PartitionKey, State};
use crate::model::projection_id::ProjectionId;

/// What a runner knows of its projections without asking the database.
#[derive(Clone, Default)]
pub(in crate::projection) struct Health(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// Until somebody resumes them.
    stopped: Vec<PartitionKey>,
    /// Those of them that cannot be marked yet, so that their rows do not say so.
    stopping: Vec<PartitionKey>,
    /// The database refuses to let this worker have them, and no other worker has them.
    refused: Vec<PartitionKey>,
    /// Their handlers do not return.
    hanging: Vec<PartitionKey>,
    /// Projections with a partition whose worker tries the same again and again.
    failing: Vec<ProjectionId>,
    /// From when on each of the members counts that have no connection.
    unconnected: Vec<Instant>,
    /// The manager could not look at the partitions.
    is_blind: bool,
}

impl Health {
    /// What the partitions' rows say. Returns those that have stopped since the last time.
    pub(super) fn see<'p>(
        &self,
        projection: &ProjectionId,
        partitions: &'p [Partition],
    ) -> Vec<&'p Partition> {
        let mut known = self.known();
        let is_failing = |row: &Partition| row.state == State::Active && row.last_error.is_some();
        known.failing.retain(|failing| failing != projection);
        if partitions.iter().any(is_failing) {
            known.failing.push(projection.clone());
        }
        let stopped: Vec<_> = partitions.iter().filter(|row| row.state == State::Failed).collect();
        let news = stopped.iter().copied().filter(|row| !known.stopped.contains(&row.key)).collect();
        known.stopped.retain(|key| key.projection != *projection);
        known.stopped.extend(stopped.iter().map(|row| row.key.clone()));
        let is_to_be_had = |row: &Partition| row.state == State::Active && row.owner.is_none();
        known.refused.retain(|key| {
            key.projection != *projection || partitions.iter().any(|row| row.key == *key && is_to_be_had(row))
        });
        news
    }

    /// A member of the crew stops the partition, and says so itself. Until what is returned is dropped, the
    /// partition is stopped whatever its row says.
    pub(super) fn stops(&self, partition: &PartitionKey) -> Stops {
        let mut known = self.known();
        known.stopped.push(partition.clone());
        known.stopping.push(partition.clone());
        Stops { health: self.clone(), partition: partition.clone() }
    }

    /// Whether the database lets this worker have the partition, or says that another one has it.
    pub(super) fn note_taking(&self, partition: &PartitionKey, is_refused: bool) {
        let mut known = self.known();
        known.refused.retain(|key| key != partition);
        if is_refused {
            known.refused.push(partition.clone());
        }
    }

    /// The partitions of a projection whose handlers do not return.
    pub(super) fn set_hanging(&self, projection: &ProjectionId, partitions: Vec<PartitionKey>) {
        let mut known = self.known();
        known.hanging.retain(|key| key.projection != *projection);
        known.hanging.extend(partitions);
    }

    pub(super) fn set_blind(&self, is_blind: bool) {
        self.known().is_blind = is_blind;
    }

    /// Until it is dropped, a member waits for a connection, which counts from this time on.
    pub(super) fn waiting(&self, from: Instant) -> Waiting<'_> {
        self.known().unconnected.push(from);
        Waiting { health: self, from }
    }

    pub(in crate::projection) fn is_good(&self) -> bool {
        let known = self.known();
        let is_going = known.stopped.is_empty() && known.stopping.is_empty() && known.failing.is_empty();
        let are_had = known.refused.is_empty() && known.hanging.is_empty();
        is_going && are_had && known.is_connected(Instant::now()) && !known.is_blind
    }

    /// It is whole between any two statements, so a panic elsewhere leaves it whole.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn is_connected(&self, now: Instant) -> bool {
        self.unconnected.iter().all(|from| *from > now)
    }
}

/// A partition that is being marked as failed.
pub(super) struct Stops {
    health: Health,
    partition: PartitionKey,
}

impl Drop for Stops {
    fn drop(&mut self) {
        self.health.known().stopping.retain(|partition| *partition != self.partition);
    }
}

pub(super) struct Waiting<'h> {
    health: &'h Health,
    from: Instant,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let unconnected = &mut self.health.known().unconnected;
        if let Some(index) = unconnected.iter().position(|from| *from == self.from) {
            unconnected.swap_remove(index);
        }
    }
}
