use std::collections::VecDeque;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::error::WriterError;
use super::job::Job;
use super::reply::Sender;
use crate::observe;

pub(super) type Jobs = VecDeque<Box<dyn Job>>;

/// The jobs that wait for the writer's thread, up to a capacity. No ready-made channel fits: the thread takes
/// all the jobs under one lock, and closing the queue can return the jobs in it.
pub(super) struct Queue {
    capacity: usize,
    state: Mutex<State>,
    /// Tells the writer's thread that there is a job, or that the queue is closed.
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    jobs: Jobs,
    closed: bool,
    /// The writer's thread is woken only if it sleeps, because waking it is a system call.
    thread_sleeps: bool,
    thread_has_ended: bool,
    waiting_for_room: Vec<Waker>,
    waiting_for_the_end: Vec<Sender<(), WriterError>>,
}

/// A job that was not queued, and why.
pub(super) enum Refused {
    Full(Box<dyn Job>),
    Closed(Box<dyn Job>),
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::default(), arrived: Condvar::new() }
    }

    pub(super) fn try_push(&self, job: Box<dyn Job>) -> Result<(), Refused> {
        self.put(&mut self.lock(), job)
    }

    /// The job stays where it is until there is room. If the queue is closed, it is returned.
    pub(super) fn poll_push(
        &self,
        job: &mut Option<Box<dyn Job>>,
        context: &Context<'_>,
    ) -> Poll<Result<(), Box<dyn Job>>> {
        let Some(unsent) = job.take() else { return Poll::Ready(Ok(())) };
        let mut state = self.lock();
        match self.put(&mut state, unsent) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(Refused::Closed(refused)) => Poll::Ready(Err(refused)),
            Err(Refused::Full(refused)) => {
                *job = Some(refused);
                state.wake_when_there_is_room(context.waker());
                Poll::Pending
            }
        }
    }

    fn put(&self, state: &mut State, job: Box<dyn Job>) -> Result<(), Refused> {
        if state.closed {
            return Err(Refused::Closed(job));
        }
        if state.jobs.len() >= self.capacity {
            return Err(Refused::Full(job));
        }
        state.jobs.push_back(job);
        if state.thread_sleeps {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// For the writer's thread: the next jobs in their order, or none when the queue is closed and empty.
    pub(super) fn take(&self, most: usize, delay: Duration) -> Jobs {
        let mut state = self.lock();
        while state.jobs.is_empty() && !state.closed {
            state = self.sleep(state, Duration::MAX);
        }
        if !delay.is_zero() {
            // There are never more than fit into the queue.
            state = self.wait_for_more(state, most.min(self.capacity), delay);
        }
        let taken = state.take(most);
        observe::writer::queue_depth(state.jobs.len());
        wake_all(state);
        taken
    }

    fn wait_for_more<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        most: usize,
        delay: Duration,
    ) -> MutexGuard<'a, State> {
        let begun = Instant::now();
        while state.jobs.len() < most && !state.closed && begun.elapsed() < delay {
            state = self.sleep(state, delay.saturating_sub(begun.elapsed()));
        }
        state
    }

    fn sleep<'a>(&'a self, mut state: MutexGuard<'a, State>, longest: Duration) -> MutexGuard<'a, State> {
        state.thread_sleeps = true;
        let woken = self.arrived.wait_timeout(state, longest);
        let (mut state, _) = woken.unwrap_or_else(PoisonError::into_inner);
        state.thread_sleeps = false;
        state
    }

    /// Accepts no more jobs. Those in it remain for the writer's thread.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        self.arrived.notify_one();
        wake_all(state);
    }

    /// Accepts no more jobs, and returns those in it.
    pub(super) fn clear(&self) -> Jobs {
        self.close();
        mem::take(&mut self.lock().jobs)
    }

    /// Tells `to` when the writer's thread has ended, or at once if it has already.
    pub(super) fn tell_the_end(&self, to: Sender<(), WriterError>) {
        let mut state = self.lock();
        state.waiting_for_the_end.push(to);
        if state.thread_has_ended {
            tell_the_end(state);
        }
    }

    pub(super) fn thread_has_ended(&self) {
        let mut state = self.lock();
        state.thread_has_ended = true;
        tell_the_end(state);
    }

    /// Nothing that can panic half-way runs under the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, most: usize) -> Jobs {
        let rest = self.jobs.split_off(most.min(self.jobs.len()));
        mem::replace(&mut self.jobs, rest)
    }

    /// A future takes one place, however often it is polled.
    fn wake_when_there_is_room(&mut self, waker: &Waker) {
        if !self.waiting_for_room.iter().any(|known| known.will_wake(waker)) {
            self.waiting_for_room.push(waker.clone());
        }
    }
}

/// All of them, and not only as many as there is room for: one of them may not be waiting any more.
fn wake_all(mut state: MutexGuard<'_, State>) {
    let waiting = mem::take(&mut state.waiting_for_room);
    drop(state);
    waiting.into_iter().for_each(Waker::wake);
}

fn tell_the_end(mut state: MutexGuard<'_, State>) {
    let waiting = mem::take(&mut state.waiting_for_the_end);
    drop(state);
    waiting.into_iter().for_each(|waiting| waiting.send(Ok(Ok(()))));
}
