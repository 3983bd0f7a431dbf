use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use super::rounds::{quantile, sorted};

/// What came of callers that did an operation again and again, each as soon as the last one had returned.
pub struct Load {
    pub per_second: f64,
    pub operations: usize,
    /// In seconds, of each operation, sorted.
    latencies: Vec<f64>,
}

impl Load {
    /// Every caller is a thread; `open` is called in it, before all begin at once.
    pub fn measure<O: FnMut()>(callers: usize, duration: Duration, open: impl Fn(usize) -> O + Sync) -> Self {
        let start = Barrier::new(callers);
        let latencies = thread::scope(|scope| {
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
            threads.into_iter().flat_map(|thread| thread.join().expect("a caller that ends")).collect()
        });
        Self::new(latencies, duration)
    }

    fn new(latencies: Vec<f64>, duration: Duration) -> Self {
        let (operations, latencies) = (latencies.len(), sorted(latencies.into_iter()));
        Self { per_second: per_second(operations, duration), operations, latencies }
    }

    /// In seconds; `share` of the operations took no longer.
    pub fn latency(&self, share: f64) -> f64 {
        quantile(&self.latencies, share)
    }
}

#[expect(clippy::cast_precision_loss)]
pub fn per_second(operations: usize, duration: Duration) -> f64 {
    operations as f64 / duration.as_secs_f64()
}

/// The latencies, in seconds, of as many as were begun in time.
fn repeat(duration: Duration, operation: &mut impl FnMut()) -> Vec<f64> {
    let begun = Instant::now();
    let mut latencies = Vec::new();
    while begun.elapsed() < duration {
        let this = Instant::now();
        operation();
        latencies.push(this.elapsed().as_secs_f64());
    }
    latencies
}
