use std::future::poll_fn;
use std::iter;
use std::task::Poll;

/// When a future is dropped.
#[derive(Debug, Clone, Copy)]
pub struct Drops {
    /// How often it has waited by then.
    pub waits: usize,
    /// Before it could go on, or once it could.
    pub at_once: bool,
}

/// More than any operation waits.
const MOST: usize = 1000;

impl Drops {
    /// From the first wait on, before and after each.
    pub fn all() -> impl Iterator<Item = Self> {
        let all = (1..MOST).flat_map(|waits| [true, false].map(|at_once| Self { waits, at_once }));
        all.chain(iter::from_fn(|| panic!("it waits {MOST} times, and goes on")))
    }

    /// What the future has returned, if it was ready before.
    pub async fn cut<F: Future>(self, future: F) -> Option<F::Output> {
        let mut future = Box::pin(future);
        let mut waited = 0;
        poll_fn(|context| {
            if waited == self.waits {
                return Poll::Ready(None);
            }
            match future.as_mut().poll(context) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending => {
                    waited += 1;
                    if self.at_once && waited == self.waits { Poll::Ready(None) } else { Poll::Pending }
                }
            }
        })
        .await
    }
}
