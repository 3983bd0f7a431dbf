use std::time::Duration;

use bench_support::length::Length;
use bench_support::rounds::{Rounds, Spread, Timed};

use crate::side::Side;

const FULL: Duration = Duration::from_secs(10);

/// Compares ways of doing the same, and prints a table row per comparison.
pub struct Report {
    length: Length,
    /// Parts of the names of the wanted comparisons; none means all.
    wanted: Vec<String>,
}

impl Report {
    pub fn from_args() -> Self {
        let wanted = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
        Self { length: Length::from_args(), wanted }
    }

    /// The amount of data, which is smaller when the bench only checks that it works.
    pub fn size<T>(&self, usual: T, test: T) -> T {
        self.length.size(usual, test)
    }

    pub fn heading(&self, text: &str) {
        println!("\n{text}\n\n| | | | ratio | middle half of the rounds |\n|---|---|---|---|---|");
    }

    pub fn is_wanted(&self, name: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|part| name.contains(part))
    }

    /// The duration of an operation: per pair, the first relative to the second.
    pub fn times(&self, name: &str, block: u32, sides: Vec<Side<'_>>, pairs: &[(usize, usize)]) {
        self.compare(name, block, sides, pairs, |rounds, one, other| Row {
            one: time(rounds.seconds(one)),
            other: time(rounds.seconds(other)),
            ratio: rounds.ratio(one, other),
        });
    }

    /// Appends per second, when an operation consists of this many.
    pub fn throughput(&self, name: &str, appends: usize, sides: Vec<Side<'_>>, pairs: &[(usize, usize)]) {
        self.compare(name, 1, sides, pairs, |rounds, one, other| Row {
            one: rate(appends, rounds.seconds(one)),
            other: rate(appends, rounds.seconds(other)),
            ratio: rounds.ratio(other, one),
        });
    }

    fn compare(
        &self,
        name: &str,
        block: u32,
        mut sides: Vec<Side<'_>>,
        pairs: &[(usize, usize)],
        row: impl Fn(&Rounds, usize, usize) -> Row,
    ) {
        if !self.is_wanted(name) {
            return;
        }
        let Some(budget) = self.length.budget(FULL) else {
            sides.iter_mut().for_each(Side::run_once);
            println!("| {name} | works |");
            return;
        };
        // A connection plans a statement several times before it keeps a plan.
        for side in &mut sides {
            side.time_block(block);
        }
        let rounds = Rounds::measure(budget, block, &mut sides);
        for &(one, other) in pairs {
            let names = [sides[one].name, sides[other].name];
            println!("| {name} | {} |", row(&rounds, one, other).cells(names, rounds.count()));
        }
    }
}

struct Row {
    one: String,
    other: String,
    ratio: Spread,
}

impl Row {
    fn cells(&self, names: [&str; 2], rounds: usize) -> String {
        let Self { one, other, ratio: Spread { low, median, high } } = self;
        format!(
            "{}: {one} | {}: {other} | **{median:.2}** | {low:.2} to {high:.2} of {rounds}",
            names[0], names[1]
        )
    }
}

fn time(seconds: Spread) -> String {
    let micros = seconds.median * 1e6;
    if micros < 10_000.0 { format!("{micros:.0} µs") } else { format!("{:.1} ms", micros / 1e3) }
}

#[expect(clippy::cast_precision_loss)]
fn rate(appends: usize, seconds: Spread) -> String {
    format!("{:.0} a second", appends as f64 / seconds.median)
}
