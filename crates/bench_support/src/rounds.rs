use std::time::{Duration, Instant};

/// One of the compared ways to do an operation.
pub struct Side {
    pub name: String,
    open: Box<dyn FnMut() -> Operation>,
}

pub type Operation = Box<dyn FnMut()>;

impl Side {
    /// `open` opens the connection that the operation uses while it is kept.
    pub fn new<O: FnMut() + 'static>(name: impl Into<String>, mut open: impl FnMut() -> O + 'static) -> Self {
        Self { name: name.into(), open: Box::new(move || Box::new(open())) }
    }

    pub fn open(&mut self) -> Operation {
        (self.open)()
    }

    /// The duration of a block of operations on a warm connection, in seconds.
    ///
    /// No other connection is open meanwhile. As libsqlite3-sys builds SQLite, all connections of a process
    /// share the memory for their pages, and of two that do the same work one could take 1.4 times as long as
    /// the other.
    fn time_block(&mut self, block: u32) -> f64 {
        let mut operation = self.open();
        (0..block).for_each(|_| operation());
        let begun = Instant::now();
        (0..block).for_each(|_| operation());
        begun.elapsed().as_secs_f64()
    }
}

/// Sides measured in turns: each round runs a block of operations per side.
pub struct Rounds {
    names: Vec<String>,
    block: u32,
    /// Per round, the duration of each side's block in seconds.
    times: Vec<Vec<f64>>,
}

impl Rounds {
    pub fn measure(budget: Duration, block: u32, sides: &mut [Side]) -> Self {
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
        Self { names: sides.iter().map(|side| side.name.clone()).collect(), block, times }
    }

    /// The blocks of a round saw the same disturbances, so their ratio says more than the ratio of two
    /// averages. The median of many ratios ignores the rounds in which they did not.
    pub fn paired_ratio(&self, one: usize, other: usize) -> String {
        let ratios = sorted(self.times.iter().map(|round| round[one] / round[other]));
        format!(
            "{} / {} = {:.2} ({} / {}; {} rounds of {}, the middle half {:.2} to {:.2})",
            self.names[one],
            self.names[other],
            quantile(&ratios, 0.5),
            self.median_time(one),
            self.median_time(other),
            ratios.len(),
            self.block,
            quantile(&ratios, 0.25),
            quantile(&ratios, 0.75),
        )
    }

    fn median_time(&self, side: usize) -> String {
        format!("{:.1} µs", self.median_seconds(side) * 1e6)
    }

    /// The median duration of one operation.
    pub fn median_seconds(&self, side: usize) -> f64 {
        let seconds = sorted(self.times.iter().map(|round| round[side]));
        quantile(&seconds, 0.5) / f64::from(self.block)
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
