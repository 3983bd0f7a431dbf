use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use diesel::result::QueryResult;

use super::claims::partitions;
use super::definition::Projection;
use super::error::ProjectionError;
use super::feed::Feed;
use super::repartition;
use super::runner::{Shop, spawn};
use super::scout::Scout;
use super::worker;
use crate::model::partition::{Partition, State};
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::store::wake;

/// The threads that apply one projection in this process, one a partition.
pub(super) struct Crew<C> {
    shop: Arc<Shop<C>>,
    index: usize,
    scout: Arc<Scout>,
    /// For how many partitions it reads.
    scouted: i32,
    members: Vec<Member>,
}

struct Member {
    partition: i32,
    is_asked_to_stop: Arc<AtomicBool>,
    has_ended: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Member {
    fn ask_to_stop(&self) {
        self.is_asked_to_stop.store(true, Ordering::Relaxed);
    }

    /// Its thread may still be there when it says that it has ended.
    fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire) || self.thread.is_finished()
    }
}

impl<C: EventConnection + 'static> Crew<C> {
    pub(super) fn new(shop: &Arc<Shop<C>>, index: usize) -> Self {
        let scout = Scout::new(Feed::new(shop.runner.nth(index), 1));
        Self { shop: Arc::clone(shop), index, scout: Arc::new(scout), scouted: 1, members: Vec::new() }
    }

    fn projection(&self) -> &Projection<C> {
        self.shop.runner.nth(self.index)
    }

    /// Takes up as many partitions as are this worker's share, and gives back what is more.
    pub(super) fn adjust(&mut self, conn: &mut C) -> Result<(), ProjectionError> {
        self.members.retain(|member| !member.has_ended());
        let key = self.projection().id.clone();
        conn.database().report_worker(&key, &self.shop.worker, self.projection().lease)?;
        let partitions = partitions(conn, self.projection())?;
        let partitions = repartition::complete(conn, &key, partitions)?;
        let share = self.share(conn, partitions.len())?;
        self.scout_for(partitions.len());
        if self.members.len() > share {
            self.members[share..].iter().for_each(Member::ask_to_stop);
            wake::hint();
        }
        let free: Vec<Partition> =
            partitions.into_iter().filter(|partition| self.is_free(partition)).collect();
        for partition in free {
            if self.members.len() < share {
                self.hire(partition);
            }
        }
        Ok(())
    }

    /// Everybody who is there has the same share; the first ones take what is left over.
    fn share(&self, conn: &mut C, partitions: usize) -> Result<usize, ProjectionError> {
        let workers = conn.database().workers(&self.projection().id)?;
        let rank = workers.iter().position(|worker| *worker == self.shop.worker);
        let Some(rank) = rank else { return Ok(0) };
        Ok(partitions / workers.len() + usize::from(rank < partitions % workers.len()))
    }

    fn is_free(&self, partition: &Partition) -> bool {
        partition.state == State::Active
            && partition.owner.is_none()
            && partition.barrier.is_none_or(|barrier| partition.position < barrier.position)
            && self.members.iter().all(|member| member.partition != partition.key.number)
    }

    fn scout_for(&mut self, partitions: usize) {
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        if partitions != self.scouted {
            self.scout = Arc::new(Scout::new(Feed::new(self.projection(), partitions)));
            self.scouted = partitions;
        }
    }

    fn hire(&mut self, partition: Partition) {
        let is_asked_to_stop = Arc::new(AtomicBool::new(false));
        let number = partition.key.number;
        let name = format!("{} {number}", self.projection().id.name);
        let (shop, index, scout) = (Arc::clone(&self.shop), self.index, Arc::clone(&self.scout));
        let has_ended = Arc::new(AtomicBool::new(false));
        let (is_asked, ended) = (Arc::clone(&is_asked_to_stop), Arc::clone(&has_ended));
        let thread = spawn(&name, move || {
            let has_applied = worker::work(&shop, shop.runner.nth(index), &partition, &scout, &is_asked);
            ended.store(true, Ordering::Release);
            if has_applied {
                shop.has_ended();
            }
        });
        self.members.push(Member { partition: number, is_asked_to_stop, has_ended, thread });
    }

    pub(super) fn ask_to_stop(&mut self) {
        self.members.iter().for_each(Member::ask_to_stop);
    }

    pub(super) fn join(&mut self) {
        for member in self.members.drain(..) {
            if let Err(panic) = member.thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }

    pub(super) fn leave(&self, conn: &mut C) -> QueryResult<()> {
        conn.database().forget_worker(&self.projection().id, &self.shop.worker)
    }
}
