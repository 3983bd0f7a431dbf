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

/// The jobs that wait for the worker, at most as many as there is room for. An own one: the worker takes all there is under
/// one lock, and closing it may give back what is in it.
pub(super) struct Queue {
    capacity: usize,
    state: Mutex<State>,
    /// For the worker: there is a job, or the end.
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    jobs: Jobs,
    closed: bool,
    /// It is not woken in vain, because that is a call of the system.
    worker_sleeps: bool,
    worker_has_gone: bool,
    waiting_for_room: Vec<Waker>,
    waiting_for_the_end: Vec<Sender<(), WriterError>>,
}

/// A job that was not taken, and why.
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

    /// The job stays where it is until there is room. It is given back if the queue is closed.
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
        if state.worker_sleeps {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// For the worker: the next jobs in their order, or none when the queue is closed and empty.
    pub(super) fn take(&self, most: usize, delay: Duration) -> Jobs {
        let mut state = self.lock();
        while state.jobs.is_empty() && !state.closed {
            state = self.sleep(state, Duration::MAX);
        }
        if !delay.is_zero() {
            state = self.wait_for_more(state, most, delay);
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
        state.worker_sleeps = true;
        let woken = self.arrived.wait_timeout(state, longest);
        let (mut state, _) = woken.unwrap_or_else(PoisonError::into_inner);
        state.worker_sleeps = false;
        state
    }

    /// Takes nothing more. What is there stays for the worker.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        self.arrived.notify_one();
        wake_all(state);
    }

    /// Takes nothing more, and gives out what is there.
    pub(super) fn clear(&self) -> Jobs {
        self.close();
        mem::take(&mut self.lock().jobs)
    }

    /// Tells when the worker has gone, also if it has already.
    pub(super) fn tell_the_end(&self, to: Sender<(), WriterError>) {
        let mut state = self.lock();
        state.waiting_for_the_end.push(to);
        if state.worker_has_gone {
            tell_the_end(state);
        }
    }

    pub(super) fn worker_has_gone(&self) {
        let mut state = self.lock();
        state.worker_has_gone = true;
        tell_the_end(state);
    }

    /// Nothing that could panic half-way is done under the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, most: usize) -> Jobs {
        let rest = self.jobs.split_off(most.min(self.jobs.len()));
        mem::replace(&mut self.jobs, rest)
    }

    /// A future that is polled again and again takes one place.
    fn wake_when_there_is_room(&mut self, waker: &Waker) {
        if !self.waiting_for_room.iter().any(|known| known.will_wake(waker)) {
            self.waiting_for_room.push(waker.clone());
        }
    }
}

/// All, and not only as many as there is room for: one of them may have lost interest.
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
