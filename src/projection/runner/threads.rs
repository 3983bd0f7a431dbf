use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use diesel::result::QueryResult;

use super::aside::Aside;
use super::asked::Asked;
use super::context::Context;
use super::follower::{Followed, follow};
use super::page_cache::PageCache;
use super::read_ahead::ReadAhead;
use super::spawn::spawn;
use crate::model::partition::{Partition, State};
use crate::projection::apply::Turns;
use crate::projection::definition::Projection;
use crate::projection::error::ProjectionError;
use crate::projection::repartition;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::now::now;
use crate::storage::workers::Sharing;
use crate::store::wake_up;

/// The threads that apply one projection in this worker, one per partition.
pub(super) struct PartitionThreads<C> {
    context: Arc<Context<C>>,
    index: usize,
    log: Arc<ReadAhead>,
    aside: Arc<Aside>,
    turns: Arc<Turns>,
    /// For how many partitions the log is read.
    read_for: i32,
    threads: Vec<PartitionThread>,
    /// When the partitions were shared last.
    shared: Sharing,
}

struct PartitionThread {
    partition: i32,
    asked: Arc<Asked>,
    followed: Arc<OnceLock<Followed>>,
    thread: JoinHandle<()>,
}

impl PartitionThread {
    /// The system may still have the thread when it says that it has ended.
    fn has_ended(&self) -> bool {
        self.followed.get().is_some() || self.thread.is_finished()
    }

    fn has_failed(&self) -> bool {
        self.followed.get() == Some(&Followed::Failed)
    }
}

impl<C: EventConnection + 'static> PartitionThreads<C> {
    pub(super) fn new(context: &Arc<Context<C>>, index: usize) -> Self {
        let log = Arc::new(ReadAhead::new(PageCache::new(context.projection(index), 1)));
        Self {
            context: Arc::clone(context),
            index,
            log,
            aside: Arc::default(),
            turns: Arc::default(),
            read_for: 1,
            threads: Vec::new(),
            shared: Sharing::default(),
        }
    }

    fn projection(&self) -> &Projection<C> {
        self.context.projection(self.index)
    }

    /// Whether there may be something to take or to give back: a partition is free, or there are other
    /// workers than there were.
    pub(super) fn is_to_be_adjusted(&self, conn: &mut C) -> Result<bool, ProjectionError> {
        let now = self.look(conn)?;
        Ok(now.free > 0 || now.workers != self.shared.workers)
    }

    /// What there is to do, in one statement for all partitions. The threads are told of what operators have
    /// asked for.
    fn look(&self, conn: &mut C) -> Result<Sharing, ProjectionError> {
        let now = conn.database().sharing(&self.projection().id)?;
        if now.requests > 0 {
            self.threads.iter().for_each(|thread| thread.asked.serve());
        }
        Ok(now)
    }

    /// Partitions that could not be applied are tried again.
    pub(super) fn forget_failures(&mut self) {
        self.threads.retain(|thread| !thread.has_failed());
    }

    /// Takes as many partitions as are this worker's share, and gives back what is more.
    pub(super) fn adjust(&mut self, conn: &mut C) -> Result<(), ProjectionError> {
        self.threads.retain(|thread| !thread.has_ended() || thread.has_failed());
        let id = self.projection().id.clone();
        if self.aside.is_aside() {
            return self.stand_aside(conn);
        }
        // A worker that dies is forgotten before its leases run out: they are renewed every third, too.
        let seen = self.projection().lease / 3 * 2;
        conn.database().report_worker(&id, &self.context.worker, seen)?;
        self.shared = self.look(conn)?;
        let partitions = now(repartition::current(&mut conn.database(), self.projection()))?;
        self.context.see(self.projection(), &partitions);
        let share = self.share(conn, partitions.len())?;
        self.read_for(partitions.len());
        if self.threads.len() > share {
            self.threads[share..].iter().for_each(|thread| thread.asked.stop());
            wake_up::all();
        }
        let free: Vec<Partition> =
            partitions.into_iter().filter(|partition| self.is_free(partition)).collect();
        let room = share.saturating_sub(self.threads.len());
        for partition in free.into_iter().take(room) {
            if let Err(error) = self.start(partition) {
                self.context.has_failed(error);
            }
        }
        Ok(())
    }

    /// Other workers share all partitions among themselves.
    fn stand_aside(&mut self, conn: &mut C) -> Result<(), ProjectionError> {
        self.ask_to_stop();
        wake_up::all();
        self.leave(conn)?;
        self.shared = self.look(conn)?;
        let partitions = conn.database().partitions(&self.projection().id)?;
        self.context.see(self.projection(), &partitions);
        Ok(())
    }

    /// Every worker has the same share; the first ones take what is left over.
    fn share(&self, conn: &mut C, partitions: usize) -> Result<usize, ProjectionError> {
        let workers = conn.database().workers(&self.projection().id)?;
        let rank = workers.iter().position(|worker| *worker == self.context.worker);
        let Some(rank) = rank else { return Ok(0) };
        Ok(partitions / workers.len() + usize::from(rank < partitions % workers.len()))
    }

    fn is_free(&self, partition: &Partition) -> bool {
        partition.state == State::Active
            && partition.owner.is_none()
            && partition.barrier.is_none_or(|barrier| partition.position < barrier.position)
            && self.threads.iter().all(|thread| thread.partition != partition.key.number)
    }

    fn read_for(&mut self, partitions: usize) {
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        if partitions != self.read_for {
            self.log = Arc::new(ReadAhead::new(PageCache::new(self.projection(), partitions)));
            self.read_for = partitions;
        }
    }

    fn start(&mut self, partition: Partition) -> Result<(), ProjectionError> {
        let (asked, followed) = (Arc::<Asked>::default(), Arc::new(OnceLock::new()));
        let number = partition.key.number;
        let name = format!("{} {number}", self.projection().id.name);
        let (context, index, log) = (Arc::clone(&self.context), self.index, Arc::clone(&self.log));
        let (is_asked, ended) = (Arc::clone(&asked), Arc::clone(&followed));
        let (aside, turns) = (Arc::clone(&self.aside), Arc::clone(&self.turns));
        let thread = spawn(&name, move || {
            let projection = context.projection(index);
            let followed = follow(&context, projection, &partition, &log, &turns, &is_asked);
            if followed == Followed::HandedOver {
                aside.step(projection.lease);
            }
            ended.get_or_init(|| followed);
            if matches!(followed, Followed::Applied | Followed::HandedOver) {
                context.has_ended();
            }
        })?;
        self.threads.push(PartitionThread { partition: number, asked, followed, thread });
        Ok(())
    }

    pub(super) fn ask_to_stop(&self) {
        self.threads.iter().for_each(|thread| thread.asked.stop());
    }

    pub(super) fn join(&mut self) {
        for thread in self.threads.drain(..) {
            if let Err(panic) = thread.thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }

    /// Says that this worker does not run the projection any more.
    pub(super) fn leave(&self, conn: &mut C) -> QueryResult<()> {
        conn.database().forget_worker(&self.projection().id, &self.context.worker)
    }
}
