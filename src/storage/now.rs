use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Runs to its end what never waits: an operation on a connection that blocks.
#[inline]
pub(crate) fn now<T>(operation: impl Future<Output = T>) -> T {
    match pin!(operation).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => unreachable!("a connection that blocks leaves nothing to wait for"),
    }
}
