//! The whole log in pages of 1,000 events, payloads parsed, compared with the same statement through SQLite's
//! own functions.

use std::path::Path;

use bench_support::bench::Bench;
use bench_support::database;
use bench_support::ours::OurStore;
use bench_support::payload::OrderPlaced;
use bench_support::raw_store::RawStore;
use bench_support::side::Side;
use diesel_event_store::sqlite::Synchronous;

const PAGE: usize = 1_000;
const EVENTS_EACH: i64 = 10;

fn main() {
    let mut bench = Bench::from_args();
    let folder = database::folder();
    let events = bench.size(20_000, 2_000);
    let path = database::filled(&folder, events / 10, EVENTS_EACH);
    let sides = || vec![ours(&path, events), raw(&path, events), raw_as_text(&path, events)];
    bench.compare(&format!("read the log of {events} events"), 1, sides, &[(0, 1), (0, 2)]);
    bench.finish();
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
