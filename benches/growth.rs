//! The cost of an append as the log grows, relative to a log of 100,000 events, and the size of the file.
//!
//! The environment variable `EVENTS` sets the size of the largest log (default: 1,000,000 events). Each
//! smaller log has a tenth of the next. They are filled once and kept in the `tmp` folder of cargo's target
//! directory, about 0.5 GB per million events. If `PLOT_DATA` names a folder, the measurements are written
//! there for the plots.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use bench_support::bench::Bench;
use bench_support::ours::OurStore;
use bench_support::payload::OrderPlaced;
use bench_support::raw_store::RawStore;
use bench_support::rounds::Rounds;
use bench_support::side::Side;
use bench_support::workload::Workload;
use bench_support::{database, plot_data};
use diesel_event_store::sqlite::Synchronous;
use tempfile::TempDir;

const EVENTS_EACH: i64 = 10;
const REFERENCE: usize = 100_000;

fn main() {
    let mut bench = Bench::from_args();
    let sizes = bench.size(sizes(wanted_events()), vec![1_000, 2_000]);
    let folder = database::folder();
    // This crate and raw in turns, from the smallest log to the largest.
    let sides = || sizes.iter().flat_map(|&events| [ours(&folder, events), raw(&folder, events)]).collect();
    let reference = sizes.iter().position(|&events| events == REFERENCE).unwrap_or_default();
    let to_reference = |size: usize| [(2 * size, 2 * reference), (2 * size + 1, 2 * reference + 1)];
    let mut pairs: Vec<_> = (reference + 1..sizes.len()).flat_map(to_reference).collect();
    pairs.push((2 * sizes.len() - 2, 2 * sizes.len() - 1));
    // Long enough that every block has its share of SQLite's checkpoints, which copy changed pages into the
    // file: a large database has more of them.
    let rounds = bench.compare("append 1 event to a growing database", 1_000, sides, &pairs);
    if let Some(rounds) = rounds {
        plot_data::write("growth", &table(&folder, &sizes, &rounds));
    }
    bench.finish();
}

/// The sizes, from ten thousand events.
fn sizes(largest: usize) -> Vec<usize> {
    let mut sizes: Vec<_> =
        (0..).map(|power| 10_000 * 10_usize.pow(power)).take_while(|&size| size < largest).collect();
    sizes.push(largest);
    sizes
}

fn table(folder: &TempDir, sizes: &[usize], rounds: &Rounds) -> String {
    let mut table = String::from("events,ours,raw,bytes_per_event\n");
    for (size, &events) in sizes.iter().enumerate() {
        let (ours, raw) = (rounds.seconds(2 * size).median, rounds.seconds(2 * size + 1).median);
        let file = database::kept(folder, streams(events), EVENTS_EACH);
        let bytes = fs::metadata(file).expect("a file").len();
        let per_event = bytes / u64::try_from(events).expect("a count");
        writeln!(table, "{events},{ours},{raw},{per_event}").expect("memory for a row");
    }
    table
}

fn wanted_events() -> usize {
    std::env::var("EVENTS").map_or(1_000_000, |events| events.parse().expect("EVENTS is a number of events"))
}

fn streams(events: usize) -> usize {
    events / usize::try_from(EVENTS_EACH).expect("a count")
}

fn ours(folder: &TempDir, events: usize) -> Side {
    let (path, workload) = (copy(folder, events), Workload::new(streams(events), EVENTS_EACH));
    Side::new(format!("ours at {events} events"), move || {
        let mut store = OurStore::open(&path, Synchronous::Normal);
        let (workload, payload) = (workload.clone(), [OrderPlaced::example()]);
        move || {
            store.append(&workload.next(1), &payload);
        }
    })
}

fn raw(folder: &TempDir, events: usize) -> Side {
    let (path, workload) = (copy(folder, events), Workload::new(streams(events), EVENTS_EACH));
    Side::new(format!("raw at {events} events"), move || {
        let mut store = RawStore::open(&path, Synchronous::Normal).expect("a database");
        let (workload, payload) = (workload.clone(), [OrderPlaced::example()]);
        move || {
            store.append(&workload.next(1), &payload).expect("the append");
        }
    })
}

fn copy(folder: &TempDir, events: usize) -> PathBuf {
    database::copy_of_filled(folder, streams(events), EVENTS_EACH)
}
