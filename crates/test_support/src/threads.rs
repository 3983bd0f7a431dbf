use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// Does the same on every connection, each in a thread of its own and all beginning at the same moment. What they
/// return is in the order of the connections.
pub fn at_once<C, T>(conns: &mut [C], work: impl Fn(usize, &mut C) -> T + Sync) -> Vec<T>
where
    C: Send,
    T: Send,
{
    let start = Barrier::new(conns.len());
    thread::scope(|scope| {
        let threads: Vec<_> = conns
            .iter_mut()
            .enumerate()
            .map(|(index, conn)| {
                let (start, work) = (&start, &work);
                scope.spawn(move || {
                    start.wait();
                    work(index, conn)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread has panicked")).collect()
    })
}

/// Longer than anything takes that is not stuck, on a machine that has other things to do.
pub const LONG: Duration = Duration::from_secs(60);

/// Waits until it is so.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result {
    let begin = Instant::now();
    while !is_so()? {
        if begin.elapsed() > LONG {
            return Err(format!("not after {LONG:?}: {what}").into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
