use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};

/// Threads that make something of each piece while the one that gives them fetches the next, or uses what the
/// last ones have become.
pub(crate) struct Helpers<'w, F, I, O> {
    /// They take turns, so that the results keep the order of the pieces.
    helpers: Vec<Helper<'w, F, I, O>>,
    given: usize,
    taken: usize,
    /// Pieces that were given, and whose results were not taken.
    most: usize,
}

/// Does the `works` on a thread each, as long as `rest` runs. There are at most so many pieces and results at a
/// time.
pub(crate) fn beside<F, I, O, T>(
    works: Vec<F>,
    most: usize,
    rest: impl FnOnce(&mut Helpers<'_, F, I, O>) -> T,
) -> T
where
    F: FnMut(I) -> O + Send,
    I: Send,
    O: Send,
{
    let works: Vec<_> = works.into_iter().map(Mutex::new).collect();
    thread::scope(|scope| {
        let helpers = works.iter().map(|work| Helper::start(scope, work, most)).collect();
        rest(&mut Helpers { helpers, given: 0, taken: 0, most })
    })
}

impl<'w, F: FnMut(I) -> O, I, O> Helpers<'w, F, I, O> {
    /// Hands over a piece. If they have enough to do, returns what has become of the first one.
    pub(crate) fn give(&mut self, piece: I) -> Option<O> {
        let is_enough = self.given - self.taken == self.most;
        let first = if is_enough { self.take() } else { None };
        self.turn(self.given).give(piece);
        self.given += 1;
        first
    }

    /// Waits for what has become of the first piece of those whose results were not returned yet.
    pub(crate) fn take(&mut self) -> Option<O> {
        if self.taken == self.given {
            return None;
        }
        let result = self.turn(self.taken).take();
        self.taken += 1;
        Some(result)
    }

    fn turn(&mut self, piece: usize) -> &mut Helper<'w, F, I, O> {
        let helpers = self.helpers.len();
        &mut self.helpers[piece % helpers]
    }
}

struct Helper<'w, F, I, O> {
    work: &'w Mutex<F>,
    /// None if the system has not started one. The work is done here then.
    thread: Option<(SyncSender<I>, Receiver<O>)>,
    done_here: VecDeque<O>,
}

impl<'w, F, I, O> Helper<'w, F, I, O>
where
    F: FnMut(I) -> O,
{
    fn start<'s>(scope: &'s Scope<'s, '_>, work: &'s Mutex<F>, most: usize) -> Self
    where
        F: Send + 's,
        I: Send + 's,
        O: Send + 's,
        's: 'w,
    {
        let ((to, pieces), (results, from)) = (sync_channel::<I>(most), sync_channel(most));
        let started =
            thread::Builder::new().name("diesel_event_store".into()).spawn_scoped(scope, move || {
                let mut work = lock(work);
                // Nothing is wanted any more once the other end is gone.
                pieces.into_iter().map(&mut *work).try_for_each(|result| results.send(result)).ok();
            });
        Self { work, thread: started.is_ok().then_some((to, from)), done_here: VecDeque::new() }
    }

    fn give(&mut self, piece: I) {
        match &self.thread {
            Some((to, _)) => to.send(piece).unwrap_or_else(|_| gone()),
            None => self.done_here.push_back(lock(self.work)(piece)),
        }
    }

    fn take(&mut self) -> O {
        match &self.thread {
            Some((_, from)) => from.recv().unwrap_or_else(|_| gone()),
            None => self.done_here.pop_front().expect("as many results as pieces"),
        }
    }
}

fn lock<T>(work: &Mutex<T>) -> MutexGuard<'_, T> {
    work.lock().unwrap_or_else(PoisonError::into_inner)
}

fn gone() -> ! {
    panic!("a helping thread has panicked")
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use super::{Helper, Helpers, beside};

    type Doubling<'w> = Helpers<'w, fn(u32) -> u32, u32, u32>;

    fn doubled(helpers: &mut Doubling<'_>) -> Vec<Option<u32>> {
        let given = [1, 2, 3, 4].map(|piece| helpers.give(piece));
        given.into_iter().chain([(); 3].map(|()| helpers.take())).collect()
    }

    const DOUBLED: [Option<u32>; 7] = [None, None, Some(2), Some(4), Some(6), Some(8), None];

    #[test]
    fn results_come_in_the_order_of_the_pieces() {
        for threads in [1, 2, 3] {
            let works = vec![(|piece| 2 * piece) as fn(u32) -> u32; threads];
            assert_eq!(beside(works, 2, doubled), DOUBLED, "{threads} threads");
        }
    }

    #[test]
    fn without_a_thread_the_work_is_done_all_the_same() {
        let work = Mutex::new((|piece| 2 * piece) as fn(u32) -> u32);
        let helper = Helper { work: &work, thread: None, done_here: VecDeque::new() };
        let mut helpers = Helpers { helpers: vec![helper], given: 0, taken: 0, most: 2 };
        assert_eq!(doubled(&mut helpers), DOUBLED);
    }

    #[test]
    #[should_panic(expected = "a helping thread has panicked")]
    fn a_panic_of_the_work_ends_all() {
        let work: fn(u32) -> u32 = |_| panic!("the work has failed");
        beside(vec![work], 1, |helpers: &mut Doubling<'_>| {
            helpers.give(1);
            helpers.take();
        });
    }
}
