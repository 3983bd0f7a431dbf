use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{self, Context, Poll};
use std::thread::{self, JoinHandle};

use super::spawn::spawn;
use crate::projection::error::ProjectionError;
use crate::storage::sharing::{self, Waker};

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// A thread that several work on: when one of them waits, the others go on. Dropped when all have ended.
pub(super) struct SharedThread {
    beginners: Option<Sender<Beginner>>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

/// What is to be done on the thread.
struct Beginner {
    begin: Box<dyn FnOnce() -> Work + Send>,
    end: Arc<Ending>,
}

impl SharedThread {
    pub(super) fn start(name: &str) -> Result<Self, ProjectionError> {
        let (beginners, begun) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let thread = spawn(name, move || {
            let waker = Waker::of_this_thread();
            // Who has started the thread waits for it.
            let _ = tell.send(waker.clone());
            run(&begun, &waker);
        })?;
        let waker = told.recv().expect("the thread tells it first");
        Ok(Self { beginners: Some(beginners), waker, thread: Some(thread) })
    }

    /// Returns what tells when it has ended.
    pub(super) fn add<F: Future<Output = ()> + 'static>(
        &self,
        begin: impl FnOnce() -> F + Send + 'static,
    ) -> Arc<Ending> {
        let end = Arc::<Ending>::default();
        let begin = Box::new(|| Box::pin(begin()) as Work);
        if let Some(beginners) = &self.beginners {
            // The thread receives until this is dropped.
            let _ = beginners.send(Beginner { begin, end: Arc::clone(&end) });
        }
        self.waker.wake();
        end
    }
}

impl Drop for SharedThread {
    fn drop(&mut self) {
        self.beginners = None;
        self.waker.wake();
        match self.thread.take() {
            // What was done on it has caught its panics.
            Some(thread) if !thread::panicking() => _ = thread.join(),
            // Nobody may have asked those on it to end.
            _ => {}
        }
    }
}

/// Whether something has ended, and how.
#[derive(Default)]
pub(super) struct Ending {
    outcome: Mutex<Option<thread::Result<()>>>,
    has_come: Condvar,
}

impl Ending {
    pub(super) fn has_come(&self) -> bool {
        self.outcome().is_some()
    }

    /// Waits for it, and goes on with the panic, if it has ended so.
    pub(super) fn wait(&self) {
        let outcome = self.has_come.wait_while(self.outcome(), |outcome| outcome.is_none());
        let outcome = outcome.unwrap_or_else(PoisonError::into_inner).replace(Ok(()));
        if let Some(Err(panic)) = outcome {
            panic::resume_unwind(panic);
        }
    }

    fn comes(&self, outcome: thread::Result<()>) {
        *self.outcome() = Some(outcome);
        self.has_come.notify_all();
    }

    /// It is replaced as a whole, so a panic elsewhere leaves it whole.
    fn outcome(&self) -> MutexGuard<'_, Option<thread::Result<()>>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is being done on the thread.
struct Member {
    work: Work,
    end: Arc<Ending>,
}

impl Member {
    /// Until it waits. Whether it has not ended.
    fn goes_on(&mut self) -> bool {
        // Who waits says when it is to be polled again, and which bell wakes the thread up.
        let mut context = Context::from_waker(task::Waker::noop());
        let outcome = match catch_unwind(AssertUnwindSafe(|| self.work.as_mut().poll(&mut context))) {
            Ok(Poll::Pending) => return true,
            Ok(Poll::Ready(())) => Ok(()),
            Err(panic) => Err(panic),
        };
        self.end.comes(outcome);
        false
    }
}

fn run(begun: &Receiver<Beginner>, waker: &Waker) {
    let mut members = Vec::new();
    loop {
        let is_to_go_on = take(begun, &mut members);
        let next = sharing::together(|| members.retain_mut(Member::goes_on));
        if !is_to_go_on && members.is_empty() {
            return;
        }
        waker.sleep_until(next);
    }
}

/// Those that begin go first: the others have given way, or wait. Whether more may come.
fn take(begun: &Receiver<Beginner>, members: &mut Vec<Member>) -> bool {
    loop {
        match begun.try_recv() {
            Ok(Beginner { begin, end }) => members.insert(0, Member { work: begin(), end }),
            Err(TryRecvError::Empty) => return true,
            Err(TryRecvError::Disconnected) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::{Arc, mpsc};
    use std::thread;
    use std::time::Duration;

    use super::SharedThread;
    use crate::storage::bell::Bell;
    use crate::storage::now::now;
    use crate::storage::sharing;

    /// Far longer than the tests take.
    const LONG: Duration = Duration::from_secs(300);
    const SHORT: Duration = Duration::from_millis(1);

    fn thread() -> SharedThread {
        SharedThread::start("shared").unwrap()
    }

    #[test]
    fn the_others_go_on_while_one_waits_for_them() {
        let (thread, bell) = (thread(), Arc::<Bell>::default());
        let (sender, threads) = mpsc::channel();
        let (rung, waits, also_sends) = (Arc::clone(&bell), Arc::clone(&bell), sender.clone());
        let first = thread.add(move || async move {
            sender.send(thread::current().id()).unwrap();
            assert!(waits.wait(0, LONG).await);
        });
        let second = thread.add(move || async move {
            also_sends.send(thread::current().id()).unwrap();
            rung.ring();
        });
        first.wait();
        second.wait();
        assert_eq!(threads.recv().unwrap(), threads.recv().unwrap());
    }

    #[test]
    fn a_wait_ends_when_another_thread_rings() {
        let (thread, bell) = (thread(), Arc::<Bell>::default());
        let (begun, has_begun) = mpsc::channel();
        let waits = Arc::clone(&bell);
        let end = thread.add(move || async move {
            begun.send(()).unwrap();
            assert!(waits.wait(0, LONG).await);
        });
        has_begun.recv().unwrap();
        bell.ring();
        end.wait();
    }

    /// As a handler does that waits for a thread of its own. The other one, which has begun later, has had its
    /// turn by then.
    #[test]
    fn what_sleeps_on_the_thread_leaves_the_others_their_wake_ups() {
        let (thread, go, bell) = (thread(), Arc::<Bell>::default(), Arc::<Bell>::default());
        let (is_to_go, rings, waits) = (Arc::clone(&go), Arc::clone(&bell), Arc::clone(&bell));
        let sleeps = thread.add(move || async move {
            assert!(is_to_go.wait(0, LONG).await);
            thread::spawn(move || rings.ring()).join().unwrap();
            thread::park();
        });
        let (begun, has_begun) = mpsc::channel();
        let other = thread.add(move || async move {
            begun.send(()).unwrap();
            assert!(waits.wait(0, LONG).await);
        });
        has_begun.recv().unwrap();
        go.ring();
        sleeps.wait();
        other.wait();
    }

    #[test]
    fn a_wait_ends_when_its_time_is_over() {
        let end = thread().add(|| async { assert!(!Bell::new().wait(0, SHORT).await) });
        end.wait();
        assert!(end.has_come());
    }

    #[test]
    fn who_gives_way_lets_others_begin() {
        let thread = thread();
        let (sender, order) = mpsc::channel();
        let (go, is_to_go) = mpsc::channel();
        let also_sends = sender.clone();
        let first = thread.add(move || async move {
            is_to_go.recv().unwrap();
            sharing::give_way().await;
            sender.send("first").unwrap();
        });
        let second = thread.add(move || async move { also_sends.send("second").unwrap() });
        go.send(()).unwrap();
        first.wait();
        second.wait();
        assert_eq!(order.try_iter().collect::<Vec<_>>(), ["second", "first"]);
    }

    /// For instance what a handler calls: it is run to its end, so there would be nobody to poll it again.
    #[test]
    fn an_operation_inside_blocks_the_thread() {
        let end = thread().add(|| async {
            now(async {
                sharing::give_way().await;
                assert!(!Bell::new().wait(0, SHORT).await);
            });
            assert!(sharing::is_shared());
        });
        end.wait();
    }

    #[test]
    fn a_panic_ends_only_the_one_that_panics() {
        let (thread, bell) = (thread(), Arc::<Bell>::default());
        let waits = Arc::clone(&bell);
        let other = thread.add(move || async move { assert!(waits.wait(0, LONG).await) });
        let panics = thread.add(|| async { panic!("as expected") });
        assert!(catch_unwind(AssertUnwindSafe(|| panics.wait())).is_err());
        bell.ring();
        other.wait();
    }
}
