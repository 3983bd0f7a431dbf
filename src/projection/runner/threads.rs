use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use diesel::result::QueryResult;

use super::aside::Aside;
use super::context::Context;
use super::follower::{Ended, follow};
use super::page_cache::PageCache;
use super::read_ahead::ReadAhead;
use super::spawn::spawn;
use crate::model::partition::{Partition, State};
use crate::projection::definition::Projection;
use crate::projection::error::ProjectionError;
use crate::projection::repartition;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::store::wake_up;

/// The threads that apply one projection in this worker, one per partition.
pub(super) struct PartitionThreads<C> {
    context: Arc<Context<C>>,
    index: usize,
    log: Arc<ReadAhead>,
    aside: Arc<Aside>,
    /// For how many partitions the log is read.
    read_for: i32,
    threads: Vec<PartitionThread>,
}

struct PartitionThread {
    partition: i32,
    is_asked_to_stop: Arc<AtomicBool>,
    has_ended: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl PartitionThread {
    fn ask_to_stop(&self) {
        self.is_asked_to_stop.store(true, Ordering::Relaxed);
    }

    /// The system may still have the thread when it says that it has ended.
    fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire) || self.thread.is_finished()
    }
}

impl<C: EventConnection + 'static> PartitionThreads<C> {
    pub(super) fn new(context: &Arc<Context<C>>, index: usize) -> Self {
        let log = Arc::new(ReadAhead::new(PageCache::new(context.projection(index), 1)));
        let (context, aside) = (Arc::clone(context), Arc::default());
        Self { context, index, log, aside, read_for: 1, threads: Vec::new() }
    }

    fn projection(&self) -> &Projection<C> {
        self.context.projection(self.index)
    }

    /// Takes as many partitions as are this worker's share, and gives back what is more.
    pub(super) fn adjust(&mut self, conn: &mut C) -> Result<(), ProjectionError> {
        self.threads.retain(|thread| !thread.has_ended());
        let id = self.projection().id.clone();
        if self.aside.is_aside() {
            return self.stand_aside(conn);
        }
        conn.database().report_worker(&id, &self.context.worker, self.projection().lease)?;
        let partitions = repartition::current(conn, self.projection())?;
        self.context.see(self.projection(), &partitions);
        let share = self.share(conn, partitions.len())?;
        self.read_for(partitions.len());
        if self.threads.len() > share {
            self.threads[share..].iter().for_each(PartitionThread::ask_to_stop);
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
        let is_asked_to_stop = Arc::new(AtomicBool::new(false));
        let has_ended = Arc::new(AtomicBool::new(false));
        let number = partition.key.number;
        let name = format!("{} {number}", self.projection().id.name);
        let (context, index, log) = (Arc::clone(&self.context), self.index, Arc::clone(&self.log));
        let (is_asked, ended) = (Arc::clone(&is_asked_to_stop), Arc::clone(&has_ended));
        let aside = Arc::clone(&self.aside);
        let thread = spawn(&name, move || {
            let projection = context.projection(index);
            let outcome = follow(&context, projection, &partition, &log, &is_asked);
            if let Ended::HandedOver = outcome {
                aside.step(projection.lease);
            }
            ended.store(true, Ordering::Release);
            if !matches!(outcome, Ended::Otherwise) {
                context.has_ended();
            }
        })?;
        self.threads.push(PartitionThread { partition: number, is_asked_to_stop, has_ended, thread });
        Ok(())
    }

    pub(super) fn ask_to_stop(&self) {
        self.threads.iter().for_each(PartitionThread::ask_to_stop);
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
