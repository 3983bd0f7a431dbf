use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::store::Store;
use bench_support::payload::OrderPlaced;
use bench_support::workload::{Append, aggregate_id};

/// Threads that append one event at a time, each with its own connection and its own aggregates, ten events
/// per aggregate.
pub struct Writers<S>(Vec<Writer<S>>);

struct Writer<S> {
    store: S,
    number: usize,
    appended: usize,
    payloads: [OrderPlaced; 1],
}

impl<S: Store + Send> Writers<S> {
    pub fn new(number: usize, connect: impl Fn() -> S) -> Self {
        let writer =
            |number| Writer { store: connect(), number, appended: 0, payloads: [OrderPlaced::example()] };
        Self((0..number).map(writer).collect())
    }

    /// This many appends by all threads together; each continues as soon as it can.
    pub fn append(&mut self, appends: usize) {
        let begun = AtomicUsize::new(0);
        thread::scope(|scope| {
            for writer in &mut self.0 {
                scope.spawn(|| {
                    while begun.fetch_add(1, Ordering::Relaxed) < appends {
                        writer.append();
                    }
                });
            }
        });
    }
}

impl<S: Store> Writer<S> {
    fn append(&mut self) {
        const EVENTS_EACH: usize = 10;
        let (aggregate, version) = (self.appended / EVENTS_EACH, self.appended % EVENTS_EACH);
        let aggregate_id = format!("{}-{}", aggregate_id(aggregate), self.number);
        let version = i64::try_from(version).expect("a small number");
        self.store.append(&Append { aggregate_id, version }, &self.payloads);
        self.appended += 1;
    }
}
