//! The cost of an append in a large database and in one of 100,000 events.
//!
//! The large one has a million events, or as many as the environment variable `EVENTS` says. It is filled once and kept
//! in the `tmp` folder of cargo's target directory, about 0.5 GB a million.

mod support;

use std::path::PathBuf;

use diesel_event_store::sqlite::Synchronous;
use support::bench::Bench;
use support::database;
use support::ours::OurStore;
use support::payload::OrderPlaced;
use support::raw_store::RawStore;
use support::rounds::Side;
use support::workload::Workload;
use tempfile::TempDir;

const EVENTS_EACH: i64 = 10;

fn main() {
    let mut bench = Bench::from_args();
    let small = bench.size(100_000, 1_000);
    let large = bench.size(wanted_events(), 2_000);
    let folder = database::folder();
    let sides = || vec![ours(&folder, large), ours(&folder, small), raw(&folder, large), raw(&folder, small)];
    // So long that every block has its share of SQLite's checkpoints, which copy changed pages into the file: in a large
    // database there are more of them.
    bench.compare("append 1 event to a growing database", 1_000, sides, &[(0, 1), (2, 3), (0, 2)]);
    bench.finish();
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
        let (workload, payload) = (workload.clone(), [OrderPlaced::new()]);
        move || {
            store.append(&workload.next(1), &payload);
        }
    })
}

fn raw(folder: &TempDir, events: usize) -> Side {
    let (path, workload) = (copy(folder, events), Workload::new(streams(events), EVENTS_EACH));
    Side::new(format!("raw at {events} events"), move || {
        let mut store = RawStore::open(&path, Synchronous::Normal).expect("a database");
        let (workload, payload) = (workload.clone(), [OrderPlaced::new()]);
        move || {
            store.append(&workload.next(1), &payload).expect("the append");
        }
    })
}

fn copy(folder: &TempDir, events: usize) -> PathBuf {
    database::copy_of_filled(folder, streams(events), EVENTS_EACH)
}
