//! The outcome of a job, on its way from the writer's thread to the caller. No ready-made channel fits: a
//! thread or any future can wait at the same receiver, and one future can poll it before another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::error::WriterError;

/// The result of the work, or why the writer did not do it.
pub(super) type Reply<T, E> = Result<Result<T, E>, WriterError>;

/// The two ends of a place for one reply.
pub(super) fn channel<T, E>() -> (Sender<T, E>, Receiver<T, E>) {
    let place = Arc::new(Place(Mutex::new(State { reply: None, waker: None })));
    (Sender { place: Arc::clone(&place), sent: false }, Receiver(place))
}

pub(super) struct Sender<T, E> {
    place: Arc<Place<T, E>>,
    sent: bool,
}

pub(super) struct Receiver<T, E>(Arc<Place<T, E>>);

struct Place<T, E>(Mutex<State<T, E>>);

struct State<T, E> {
    reply: Option<Reply<T, E>>,
    waker: Option<Waker>,
}

impl<T, E> Sender<T, E> {
    pub(super) fn send(mut self, reply: Reply<T, E>) {
        self.sent = true;
        self.place.fill(reply);
    }
}

/// The writer's thread has died before it sent anything.
impl<T, E> Drop for Sender<T, E> {
    fn drop(&mut self) {
        if !self.sent {
            self.place.fill(Err(WriterError::Died));
        }
    }
}

impl<T, E> Receiver<T, E> {
    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Reply<T, E>> {
        let mut state = self.0.lock();
        if let Some(reply) = state.reply.take() {
            return Poll::Ready(reply);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl<T, E> Place<T, E> {
    fn fill(&self, reply: Reply<T, E>) {
        let mut state = self.lock();
        state.reply = Some(reply);
        let waker = state.waker.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Nothing that can panic half-way runs under the lock.
    fn lock(&self) -> MutexGuard<'_, State<T, E>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
