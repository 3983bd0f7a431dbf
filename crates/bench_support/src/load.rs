use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::rounds::{quantile, sorted};

/// The result of callers that repeat an operation, each as soon as the last one has returned.
pub struct Load {
    /// Operations that ended in time, per second.
    pub per_second: f64,
    /// Operations of all callers, including those that ended too late.
    pub operations: usize,
    /// The duration of each operation in seconds, sorted.
    latencies: Vec<f64>,
}

impl Load {
    /// Each caller is a thread, which calls `open`; then all begin at once.
    pub fn measure<O: FnMut()>(callers: usize, duration: Duration, open: impl Fn(usize) -> O + Sync) -> Self {
        let start = Barrier::new(callers);
        let done: Vec<Done> = thread::scope(|scope| {
            let (open, start) = (&open, &start);
            let threads: Vec<_> = (0..callers)
                .map(|caller| {
                    scope.spawn(move || {
                        let mut operation = open(caller);
                        start.wait();
                        repeat(duration, &mut operation)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("a caller that ends")).collect()
        });
        Self::new(&done, duration)
    }

    fn new(done: &[Done], duration: Duration) -> Self {
        let in_time = done.iter().map(|done| done.in_time).sum();
        let latencies = sorted(done.iter().flat_map(|done| &done.latencies).copied());
        Self { per_second: per_second(in_time, duration), operations: latencies.len(), latencies }
    }

    /// The number of seconds that `share` of the operations did not exceed.
    pub fn latency(&self, share: f64) -> f64 {
        quantile(&self.latencies, share)
    }
}

#[expect(clippy::cast_precision_loss)]
pub fn per_second(operations: usize, duration: Duration) -> f64 {
    operations as f64 / duration.as_secs_f64()
}

/// What one caller has done.
struct Done {
    /// The duration of each operation that it has begun, in seconds.
    latencies: Vec<f64>,
    /// How many of them ended in time.
    in_time: usize,
}

/// Runs at least once.
fn repeat(duration: Duration, operation: &mut impl FnMut()) -> Done {
    let begun = Instant::now();
    let mut done = Done { latencies: Vec::new(), in_time: 0 };
    loop {
        let this = Instant::now();
        operation();
        done.latencies.push(this.elapsed().as_secs_f64());
        if begun.elapsed() >= duration {
            return done;
        }
        done.in_time += 1;
    }
}
