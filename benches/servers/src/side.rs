use std::hint::black_box;
use std::time::Instant;

use bench_support::rounds::Timed;

/// One of the compared ways to do an operation.
pub struct Side<'a> {
    pub name: &'a str,
    set_the_stage: Box<dyn FnMut() + 'a>,
    operation: Box<dyn FnMut() + 'a>,
}

impl<'a> Side<'a> {
    /// The operation has ended when its result is dropped.
    pub fn new<R>(name: &'a str, mut operation: impl FnMut() -> R + 'a) -> Self {
        let operation = move || drop(black_box(operation()));
        Self { name, set_the_stage: Box::new(|| {}), operation: Box::new(operation) }
    }

    /// What is done before each block and is not measured.
    pub fn on(self, stage: impl FnMut() + 'a) -> Self {
        Self { set_the_stage: Box::new(stage), ..self }
    }

    pub fn run_once(&mut self) {
        (self.set_the_stage)();
        (self.operation)();
    }
}

impl Timed for Side<'_> {
    /// The duration of a block of operations, in seconds.
    fn time_block(&mut self, block: u32) -> f64 {
        (self.set_the_stage)();
        let begun = Instant::now();
        (0..block).for_each(|_| (self.operation)());
        begun.elapsed().as_secs_f64()
    }
}
