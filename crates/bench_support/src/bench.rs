use std::time::Duration;

use criterion::Criterion;

use crate::length::Length;
use crate::rounds::{Rounds, Spread};
use crate::side::Side;

const FULL: Duration = Duration::from_secs(6);

/// Runs each comparison twice: through criterion, for its statistics and history, and in turns, for a ratio
/// that holds on a busy machine.
pub struct Bench {
    criterion: Criterion,
    length: Length,
    ratios: Vec<String>,
}

impl Bench {
    pub fn from_args() -> Self {
        let criterion = Criterion::default()
            .warm_up_time(Duration::from_secs(1))
            .measurement_time(Duration::from_secs(3))
            .configure_from_args();
        Self { criterion, length: Length::from_args(), ratios: Vec::new() }
    }

    /// The amount of data, which is smaller when the bench only checks that it works.
    pub fn size<T>(&self, usual: T, test: T) -> T {
        self.length.size(usual, test)
    }

    /// Measures each side, and compares the sides of each pair, which are given by their indexes. Returns
    /// what was measured in turns.
    ///
    /// `sides` is called for each of the two measurements, so that all its sides begin on equal databases. A
    /// `block` is the number of operations of one side in a row: small, so that a disturbance spoils few of
    /// them.
    pub fn compare(
        &mut self,
        name: &str,
        block: u32,
        sides: impl Fn() -> Vec<Side>,
        pairs: &[(usize, usize)],
    ) -> Option<Rounds> {
        if !self.measure_one_by_one(name, sides()) {
            return None;
        }
        let mut sides = sides();
        let rounds = Rounds::measure(self.length.budget(FULL)?, block, &mut sides);
        for &(one, other) in pairs {
            self.ratios.push(format!("{name}: {}", compared(&sides, &rounds, one, other)));
        }
        Some(rounds)
    }

    /// Whether the arguments chose any.
    fn measure_one_by_one(&mut self, name: &str, sides: Vec<Side>) -> bool {
        let mut chosen = false;
        let mut group = self.criterion.benchmark_group(name);
        for mut side in sides {
            group.bench_function(side.name.clone(), |bencher| {
                chosen = true;
                bencher.iter(side.open());
            });
        }
        group.finish();
        chosen
    }

    pub fn finish(self) {
        self.criterion.final_summary();
        for ratio in self.ratios {
            println!("{ratio}");
        }
    }
}

/// One side relative to another, in words.
fn compared(sides: &[Side], rounds: &Rounds, one: usize, other: usize) -> String {
    let Spread { low, median, high } = rounds.ratio(one, other);
    let time = |side: usize| format!("{:.1} µs", rounds.seconds(side).median * 1e6);
    format!(
        "{} / {} = {median:.2} ({} / {}; {} rounds of {}, the middle half {low:.2} to {high:.2})",
        sides[one].name,
        sides[other].name,
        time(one),
        time(other),
        rounds.count(),
        rounds.block(),
    )
}
