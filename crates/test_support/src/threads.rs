use std::sync::Barrier;
use std::thread;

/// Does the same on every connection, each in a thread of its own and all beginning at the same moment. What
/// they return is in the order of the connections.
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
