use std::time::Duration;

use crate::rounds::{Rounds, Side, Spread};

/// Compares ways of doing the same, and prints a table row per comparison.
pub struct Report {
    length: Length,
    /// Parts of the names of the wanted comparisons; none means all.
    wanted: Vec<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Length {
    /// Runs each operation once, to check that it works: `cargo test --benches`.
    Test,
    Quick,
    Full,
}

impl Report {
    pub fn from_args() -> Self {
        let wanted = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
        Self { length: Length::from_args(), wanted }
    }

    /// The amount of data, which is smaller when the bench only checks that it works.
    pub fn size<T>(&self, usual: T, test: T) -> T {
        if self.length == Length::Test { test } else { usual }
    }

    pub fn heading(&self, text: &str) {
        println!("\n{text}\n\n| | | | ratio | middle half of the rounds |\n|---|---|---|---|---|");
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
        if !self.wanted.is_empty() && !self.wanted.iter().any(|part| name.contains(part)) {
            return;
        }
        let Some(budget) = self.length.budget() else {
            sides.iter_mut().for_each(Side::run_once);
            println!("| {name} | works |");
            return;
        };
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

impl Length {
    fn from_args() -> Self {
        let arguments: Vec<String> = std::env::args().collect();
        let given = |argument: &str| arguments.iter().any(|given| given == argument);
        // `cargo bench` passes this, `cargo test` does not.
        if given("--test") || !given("--bench") {
            Length::Test
        } else if given("--quick") {
            Length::Quick
        } else {
            Length::Full
        }
    }

    fn budget(self) -> Option<Duration> {
        match self {
            Length::Test => None,
            Length::Quick => Some(Duration::from_millis(1500)),
            Length::Full => Some(Duration::from_secs(10)),
        }
    }
}
