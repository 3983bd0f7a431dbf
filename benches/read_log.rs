//! The whole log in pages of 1,000 events, payloads parsed, compared with the same statement through SQLite's
//! own functions. And the same log with a filter that every event passes, compared with no filter: the
//! environment variable `EVENTS` says how many events it has then (default: 100,000).

use std::path::Path;

use bench_support::bench::Bench;
use bench_support::database;
use bench_support::ours::OurStore;
use bench_support::payload::{AGGREGATE_TYPE, EVENT_TYPE, OrderPlaced};
use bench_support::raw_store::RawStore;
use bench_support::side::Side;
use diesel_event_store::sqlite::Synchronous;
use diesel_event_store::{EventStore, LogQuery, Position};
use tempfile::TempDir;

const PAGE: usize = 1_000;
const EVENTS_EACH: i64 = 10;

fn main() {
    let mut bench = Bench::from_args();
    let folder = database::folder();
    let events = bench.size(20_000, 2_000);
    let path = database::filled(&folder, events / 10, EVENTS_EACH);
    let sides = || vec![ours(&path, events), raw(&path, events), raw_as_text(&path, events)];
    bench.compare(&format!("read the log of {events} events"), 1, sides, &[(0, 1), (0, 2)]);
    filtered(&mut bench, &folder);
    bench.finish();
}

/// It is filled once and kept in the `tmp` folder of cargo's target directory.
fn filtered(bench: &mut Bench, folder: &TempDir) {
    let events = bench.size(wanted_events(), 2_000);
    let path = database::copy_of_filled(folder, events / 10, EVENTS_EACH);
    let all = LogQuery::after(Position::START);
    let sides = || {
        vec![
            with(&path, "by aggregate type", all.clone().aggregate_types([AGGREGATE_TYPE]), events),
            with(&path, "by event type", all.clone().event_types([EVENT_TYPE]), events),
            with(&path, "without a filter", all.clone(), events),
        ]
    };
    bench.compare(&format!("read {events} events with a filter"), 1, sides, &[(0, 2), (1, 2)]);
}

fn wanted_events() -> usize {
    std::env::var("EVENTS").map_or(100_000, |events| events.parse().expect("EVENTS is a number of events"))
}

fn with(path: &Path, name: &str, query: LogQuery, events: usize) -> Side {
    let path = path.to_owned();
    Side::new(name, move || {
        let mut conn = database::connect(&path, Synchronous::Normal);
        let query = query.clone();
        move || {
            let mut found = EventStore::new().iter_log(&mut conn, query.clone()).page_size(PAGE);
            let read = found.try_fold(0, |read, event| event.map(|_| read + 1));
            assert_eq!(read.expect("events"), events);
        }
    })
}

fn ours(path: &Path, events: usize) -> Side {
    let path = path.to_owned();
    Side::new("ours", move || {
        let mut store = OurStore::open(&path, Synchronous::Normal);
        move || read_all(events, |after| store.read_page(after, PAGE))
    })
}

fn raw(path: &Path, events: usize) -> Side {
    let path = path.to_owned();
    Side::new("raw", move || {
        let mut store = open_raw(&path);
        move || read_all(events, |after| store.read_page(after, PAGE).expect("a page"))
    })
}

fn raw_as_text(path: &Path, events: usize) -> Side {
    let path = path.to_owned();
    Side::new("raw with ids and times as text", move || {
        let mut store = open_raw(&path);
        move || read_all(events, |after| store.read_page_as_text(after, PAGE).expect("a page"))
    })
}

fn open_raw(path: &Path) -> RawStore {
    RawStore::open(path, Synchronous::Normal).expect("a database")
}

fn read_all(events: usize, mut page: impl FnMut(i64) -> (i64, u64)) {
    let (mut position, mut cents) = (0, 0);
    for _ in 0..events / PAGE {
        let (last, of_page) = page(position);
        (position, cents) = (last, cents + of_page);
    }
    assert_eq!(cents, OrderPlaced::CENTS * u64::try_from(events).expect("64 bits"));
}
