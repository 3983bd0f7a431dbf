use std::time::{Duration, Instant};

/// One of the compared ways to do an operation.
pub trait Timed {
    /// The duration of a block of operations, in seconds.
    fn time_block(&mut self, block: u32) -> f64;
}

/// Sides measured in turns: each round runs a block of operations per side. Blocks are short, so that a
/// disturbance spoils few of them.
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
    pub fn measure(budget: Duration, block: u32, sides: &mut [impl Timed]) -> Self {
        const FEWEST: usize = 12;
        let begun = Instant::now();
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

    pub fn block(&self) -> u32 {
        self.block
    }

    /// The duration of one operation.
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
        let sorted = sorted(numbers);
        let [low, median, high] = [0.25, 0.5, 0.75].map(|share| quantile(&sorted, share));
        Self { low, median, high }
    }
}

pub fn sorted(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}
