use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::store::Store;
use bench_support::caller::Caller;
use bench_support::payload::OrderPlaced;

/// Threads that append one event at a time, each with its own connection and its own aggregates.
pub struct Writers<S>(Vec<Writer<S>>);

struct Writer<S> {
    store: S,
    caller: Caller,
    payloads: [OrderPlaced; 1],
}

impl<S: Store + Send> Writers<S> {
    pub fn new(number: usize, connect: impl Fn() -> S) -> Self {
        let writer = |number| Writer {
            store: connect(),
            caller: Caller::new(number),
            payloads: [OrderPlaced::example()],
        };
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
        self.store.append(&self.caller.next_append(), &self.payloads);
    }
}
