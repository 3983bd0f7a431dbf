//! Appends of one event by several callers at once: through a writer, through plain appends on a connection
//! per caller, and through SQLite's own functions by one thread, in transactions as large as the writer's.
//!
//! `ROUNDS` says how often all of it is measured (default: 12). If `PLOT_DATA` names a folder, the
//! measurements are written there for the plots.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bench_support::database::connect;
use bench_support::events::prepare;
use bench_support::load::{Load, per_second};
use bench_support::ours::OurStore;
use bench_support::payload::OrderPlaced;
use bench_support::raw_store::RawStore;
use bench_support::rounds::{quantile, sorted};
use bench_support::workload::Workload;
use bench_support::{database, plot_data};
use diesel::connection::{Connection, InstrumentationEvent};
use diesel::sqlite::SqliteConnection;
use diesel_event_store::sqlite::{Synchronous, Writer};

const CALLERS: [usize; 4] = [1, 4, 16, 64];
const SETTINGS: [(Synchronous, &str); 2] = [(Synchronous::Normal, "NORMAL"), (Synchronous::Full, "FULL")];

fn main() {
    // `cargo bench` passes this, `cargo test` does not. There, a single round shows that it works.
    let bench = std::env::args().any(|argument| argument == "--bench");
    let (rounds, duration) =
        if bench { (rounds(), Duration::from_millis(250)) } else { (1, Duration::from_millis(5)) };
    let mut cases: Vec<Case> = SETTINGS
        .into_iter()
        .flat_map(|(synchronous, name)| CALLERS.map(|callers| Case::new(synchronous, name, callers)))
        .collect();
    for _ in 0..rounds {
        cases.iter_mut().for_each(|case| case.measure(duration));
    }
    let mut table = String::from("synchronous,callers,side,appends_per_second,p50,p99\n");
    for case in &cases {
        case.report();
        case.add_to(&mut table);
    }
    plot_data::write("writer", &table);
}

fn rounds() -> usize {
    std::env::var("ROUNDS").map_or(12, |rounds| rounds.parse().expect("ROUNDS is a number"))
}

/// This many callers with this setting, measured in several rounds.
struct Case {
    synchronous: Synchronous,
    setting: &'static str,
    callers: usize,
    rounds: Vec<Round>,
}

struct Round {
    writer: Load,
    plain: Load,
    raw: Raw,
}

struct Raw {
    per_second: f64,
    batch: usize,
    /// The duration of a commit, in seconds.
    p50: f64,
    p99: f64,
}

impl Case {
    fn new(synchronous: Synchronous, setting: &'static str, callers: usize) -> Self {
        Self { synchronous, setting, callers, rounds: Vec::new() }
    }

    /// Measures one side after the other, each with the process to itself. The writer's batches decide the
    /// size of raw's transactions.
    fn measure(&mut self, duration: Duration) {
        let (writer, batch) = self.writer(duration);
        let raw = self.raw(duration, batch);
        let plain = self.plain(duration);
        self.rounds.push(Round { writer, plain, raw });
    }

    /// Also returns the size of an average batch.
    fn writer(&self, duration: Duration) -> (Load, usize) {
        let folder = database::folder();
        let mut conn = connect(&database::empty(&folder), self.synchronous);
        let commits = count_commits(&mut conn);
        let writer = Writer::new(conn).expect("a writer");
        let load = Load::measure(self.callers, duration, |caller| {
            let (writer, workload) = (writer.clone(), Workload::of_caller(caller));
            let payload = [OrderPlaced::example()];
            move || {
                let (stream, expected, events) = prepare(&workload.next(1), &payload);
                writer.append(&stream, expected, events).wait().expect("the append");
            }
        });
        let batch = load.operations.div_ceil(commits.load(Ordering::Relaxed));
        (load, batch)
    }

    fn plain(&self, duration: Duration) -> Load {
        let folder = database::folder();
        let path = database::empty(&folder);
        Load::measure(self.callers, duration, |caller| {
            let mut store = OurStore::open(&path, self.synchronous);
            let (workload, payload) = (Workload::of_caller(caller), [OrderPlaced::example()]);
            move || {
                store.append(&workload.next(1), &payload);
            }
        })
    }

    fn raw(&self, duration: Duration, batch: usize) -> Raw {
        let folder = database::folder();
        let mut store = RawStore::open(&database::empty(&folder), self.synchronous).expect("a database");
        let workloads: Vec<_> = (0..self.callers).map(Workload::of_caller).collect();
        let mut callers = workloads.iter().cycle();
        let (payload, mut commits) = ([OrderPlaced::example()], Vec::new());
        let begun = Instant::now();
        while begun.elapsed() < duration {
            let group: Vec<_> = callers.by_ref().take(batch).map(|workload| workload.next(1)).collect();
            commits.push(store.append_group(&group, &payload).expect("the group").as_secs_f64());
        }
        let per_second = per_second(commits.len() * batch, begun.elapsed());
        let commits = sorted(commits.into_iter());
        Raw { per_second, batch, p50: quantile(&commits, 0.5), p99: quantile(&commits, 0.99) }
    }

    fn report(&self) {
        let Self { setting, callers, .. } = self;
        println!("synchronous={setting}, {callers} callers");
        println!(
            "  appends/s: writer {:.0}, plain {:.0}, raw {:.0} in transactions of {:.0}",
            self.median(|round| round.writer.per_second),
            self.median(|round| round.plain.per_second),
            self.median(|round| round.raw.per_second),
            self.median(|round| round.raw.batch as f64),
        );
        println!("  writer / raw = {}", self.spread(|round| round.writer.per_second / round.raw.per_second));
        println!(
            "  writer / plain = {}",
            self.spread(|round| round.writer.per_second / round.plain.per_second)
        );
        self.report_latency();
    }

    fn report_latency(&self) {
        println!(
            "  latency: writer p50 {:.0} µs, p99 {:.0} µs; plain p50 {:.0} µs, p99 {:.0} µs; raw commit p50 {:.0} µs, p99 {:.0} µs",
            self.median(|round| round.writer.latency(0.5)) * 1e6,
            self.median(|round| round.writer.latency(0.99)) * 1e6,
            self.median(|round| round.plain.latency(0.5)) * 1e6,
            self.median(|round| round.plain.latency(0.99)) * 1e6,
            self.median(|round| round.raw.p50) * 1e6,
            self.median(|round| round.raw.p99) * 1e6,
        );
        println!(
            "  writer p99 / raw commit p50 = {}",
            self.spread(|round| round.writer.latency(0.99) / round.raw.p50)
        );
        println!(
            "  writer p99 / raw commit p99 = {}",
            self.spread(|round| round.writer.latency(0.99) / round.raw.p99)
        );
    }

    fn median(&self, value: impl Fn(&Round) -> f64) -> f64 {
        quantile(&sorted(self.rounds.iter().map(value)), 0.5)
    }

    /// The median and the middle half.
    fn spread(&self, value: impl Fn(&Round) -> f64) -> String {
        let values = sorted(self.rounds.iter().map(value));
        let [low, middle, high] = [0.25, 0.5, 0.75].map(|share| quantile(&values, share));
        format!("{middle:.2} ({low:.2} to {high:.2})")
    }

    fn add_to(&self, table: &mut String) {
        let mut add = |side: &str, load: fn(&Round) -> &Load| {
            let per_second = self.median(|round| load(round).per_second);
            let [p50, p99] = [0.5, 0.99].map(|share| self.median(|round| load(round).latency(share)));
            let row = format!("{},{},{side},{per_second},{p50},{p99}", self.setting, self.callers);
            writeln!(table, "{row}").expect("memory for a row");
        };
        add("writer", |round| &round.writer);
        add("plain", |round| &round.plain);
    }
}

/// Counts through diesel, from outside the writer.
fn count_commits(conn: &mut SqliteConnection) -> Arc<AtomicUsize> {
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&commits);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::CommitTransaction { .. } = event {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    commits
}
