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
    stopped: Vec<Stopped>,
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

struct Stopped {
    key: PartitionKey,
    since: Instant,
}

impl Health {
    /// What the partitions' rows say, which nobody has begun to read before this time. Returns those that have
    /// stopped since the last time.
    pub(super) fn see<'p>(
        &self,
        projection: &ProjectionId,
        partitions: &'p [Partition],
        since: Instant,
    ) -> Vec<&'p Partition> {
        let mut known = self.known();
        let is_failing = |row: &Partition| row.state == State::Active && row.last_error.is_some();
        known.failing.retain(|failing| failing != projection);
        if partitions.iter().any(is_failing) {
            known.failing.push(projection.clone());
        }
        let is_news = |row: &&Partition| row.state == State::Failed && !known.has_stopped(&row.key);
        let news = partitions.iter().filter(is_news).collect();
        known.forget_stopped(|stopped| stopped.key.projection == *projection && stopped.since < since);
        for row in partitions.iter().filter(|row| row.state == State::Failed) {
            known.note_stopped(&row.key, since);
        }
        let is_to_be_had = |row: &Partition| row.state == State::Active && row.owner.is_none();
        known.refused.retain(|key| {
            key.projection != *projection || partitions.iter().any(|row| row.key == *key && is_to_be_had(row))
        });
        news
    }

    /// A member of the crew stops the partition, and says so itself. Until what is returned has ended, the
    /// partition is stopped whatever its row says.
    pub(super) fn stops(&self, partition: &PartitionKey) -> Stops {
        let mut known = self.known();
        known.note_stopped(partition, Instant::now());
        known.stopping.push(partition.clone());
        Stops { health: self.clone(), partition: partition.clone(), is_marked: false }
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
        let of_partitions = [&known.stopping, &known.refused, &known.hanging];
        let is_going = known.stopped.is_empty() && of_partitions.iter().all(|troubled| troubled.is_empty());
        is_going && known.failing.is_empty() && !known.is_blind && known.is_connected(Instant::now())
    }

    /// It is whole between any two statements, so a panic elsewhere leaves it whole.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn has_stopped(&self, partition: &PartitionKey) -> bool {
        self.stopped.iter().any(|stopped| stopped.key == *partition)
    }

    fn note_stopped(&mut self, partition: &PartitionKey, since: Instant) {
        if !self.has_stopped(partition) {
            self.stopped.push(Stopped { key: partition.clone(), since });
        }
    }

    fn forget_stopped(&mut self, is_over: impl Fn(&Stopped) -> bool) {
        self.stopped.retain(|stopped| !is_over(stopped));
    }

    fn is_connected(&self, now: Instant) -> bool {
        self.unconnected.iter().all(|from| *from > now)
    }
}

/// A partition that is being marked as failed.
pub(super) struct Stops {
    health: Health,
    partition: PartitionKey,
    is_marked: bool,
}

impl Stops {
    /// If it is not marked, another worker has the partition.
    pub(super) fn end(mut self, is_marked: bool) {
        self.is_marked = is_marked;
    }
}

/// What was read of its row before it was marked says nothing.
impl Drop for Stops {
    fn drop(&mut self) {
        let mut known = self.health.known();
        known.stopping.retain(|partition| *partition != self.partition);
        known.forget_stopped(|stopped| stopped.key == self.partition);
        if self.is_marked {
            known.note_stopped(&self.partition, Instant::now());
        }
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

#[cfg(test)]
mod tests {
    use std::slice;
    use std::time::Instant;

    use chrono::Utc;

    use super::Health;
    use crate::model::partition::{Partition, PartitionKey, State};
    use crate::model::position::Position;
    use crate::model::projection_id::ProjectionId;

    fn row(state: State) -> Partition {
        let (position, updated_at) = (Position::START, Utc::now());
        Partition {
            key: PartitionKey { projection: ProjectionId::new("users", 1), number: 0 },
            count: 1,
            position,
            witness: None,
            updated_at,
            state,
            last_error: None,
            failing: None,
            owner: None,
            token: 1,
            barrier: None,
        }
    }

    #[test]
    fn what_was_read_before_a_partition_was_marked_does_not_hide_that_it_has_stopped() {
        let (health, active, failed) = (Health::default(), row(State::Active), row(State::Failed));
        let before = Instant::now();
        health.stops(&active.key).end(true);
        assert!(health.see(&active.key.projection, slice::from_ref(&active), before).is_empty());
        assert!(!health.is_good());
        assert!(health.see(&active.key.projection, &[failed], Instant::now()).is_empty(), "it is told twice");
        assert!(health.see(&active.key.projection, slice::from_ref(&active), Instant::now()).is_empty());
        assert!(health.is_good(), "it was resumed");
    }

    #[test]
    fn a_partition_that_another_worker_has_taken_is_not_stopped() {
        let (health, active) = (Health::default(), row(State::Active));
        let stops = health.stops(&active.key);
        assert!(!health.is_good());
        stops.end(false);
        assert!(health.is_good());
    }
}
