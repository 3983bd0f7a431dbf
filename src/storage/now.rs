use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::sharing;

/// Runs to its end what never waits: an operation on a connection that blocks.
#[inline]
pub(crate) fn now<T>(operation: impl Future<Output = T>) -> T {
    let operation = pin!(operation);
    match sharing::alone(|| operation.poll(&mut Context::from_waker(Waker::noop()))) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => unreachable!("a connection that blocks leaves nothing to wait for"),
    }
}
