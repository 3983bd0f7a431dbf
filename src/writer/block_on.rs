use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Waits for a future on this thread, so that threads and tasks share one way to wait.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    thread_local! {
        static THIS_THREAD: Waker = Arc::new(Unpark(thread::current())).into();
    }
    let mut future = pin!(future);
    THIS_THREAD.with(|waker| {
        let mut context = Context::from_waker(waker);
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(output) => return output,
                Poll::Pending => thread::park(),
            }
        }
    })
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
