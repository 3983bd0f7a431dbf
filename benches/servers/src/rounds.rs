use std::hint::black_box;
use std::time::{Duration, Instant};

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

    /// The duration of a block of operations, in seconds.
    fn time_block(&mut self, block: u32) -> f64 {
        (self.set_the_stage)();
        let begun = Instant::now();
        (0..block).for_each(|_| (self.operation)());
        begun.elapsed().as_secs_f64()
    }
}

/// Sides measured in turns: each round runs a block of operations per side.
pub struct Rounds {
    block: u32,
    /// Per round, the duration of each side's block in seconds.
    times: Vec<Vec<f64>>,
}

/// The median of many numbers, and the range of their middle half.
#[derive(Clone, Copy)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Rounds {
    /// Measures in short blocks, so that a disturbance spoils few of them.
    pub fn measure(budget: Duration, block: u32, sides: &mut [Side<'_>]) -> Self {
        const FEWEST: usize = 12;
        let begun = Instant::now();
        // A warm-up: a connection plans a statement several times before it keeps a plan.
        for side in &mut *sides {
            side.time_block(block);
        }
        let mut times = Vec::new();
        while times.len() < FEWEST || begun.elapsed() < budget {
            let mut round = vec![0.0; sides.len()];
            for turn in 0..sides.len() {
                // No side is always the first.
                let side = (turn + times.len()) % sides.len();
                round[side] = sides[side].time_block(block);
            }
            times.push(round);
        }
        Self { block, times }
    }

    pub fn count(&self) -> usize {
        self.times.len()
    }

    /// The median duration of one operation.
    pub fn seconds(&self, side: usize) -> Spread {
        Spread::of(self.times.iter().map(|round| round[side] / f64::from(self.block)))
    }

    /// The blocks of a round saw the same disturbances, so their ratio says more than the ratio of two
    /// averages. The median of many ratios ignores the rounds in which they did not.
    pub fn ratio(&self, one: usize, other: usize) -> Spread {
        Spread::of(self.times.iter().map(|round| round[one] / round[other]))
    }
}

impl Spread {
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = numbers.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |quarters: usize| sorted[(sorted.len() - 1) * quarters / 4];
        Self { low: at(1), median: at(2), high: at(3) }
    }
}
