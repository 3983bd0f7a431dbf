//! Loading streams of 10 and of 1,000 events, payloads parsed, compared with the same statement through
//! SQLite's own functions.

use std::path::Path;

use bench_support::bench::Bench;
use bench_support::database;
use bench_support::ours::OurStore;
use bench_support::payload::OrderPlaced;
use bench_support::raw_store::RawStore;
use bench_support::side::Side;
use bench_support::workload::RandomStreams;
use diesel_event_store::sqlite::Synchronous;

fn main() {
    let mut bench = Bench::from_args();
    let many = bench.size(2_000, 100);
    compare(&mut bench, "load a stream of 10 events", many, 10, 50);
    let few = bench.size(50, 2);
    compare(&mut bench, "load a stream of 1,000 events", few, 1_000, 1);
    bench.finish();
}

fn compare(bench: &mut Bench, name: &str, streams: usize, events: i64, block: u32) {
    let folder = database::folder();
    let path = database::filled(&folder, streams, events);
    let side = |name, open: fn(&Path) -> Reader| side(name, &path, streams, events, open);
    let sides =
        || vec![side("ours", ours), side("raw", raw), side("raw with ids and times as text", raw_as_text)];
    bench.compare(name, block, sides, &[(0, 1), (0, 2)]);
}

/// Reads a stream: its version, and the sum of its orders.
type Reader = Box<dyn FnMut(&str) -> (i64, u64)>;

fn ours(path: &Path) -> Reader {
    let mut store = OurStore::open(path, Synchronous::Normal);
    Box::new(move |id| store.read_stream(id))
}

fn raw(path: &Path) -> Reader {
    let mut store = RawStore::open(path, Synchronous::Normal).expect("a database");
    Box::new(move |id| store.read_stream(id).expect("a stream"))
}

fn raw_as_text(path: &Path) -> Reader {
    let mut store = RawStore::open(path, Synchronous::Normal).expect("a database");
    Box::new(move |id| store.read_stream_as_text(id).expect("a stream"))
}

/// Reads random streams, the same ones in the same order on every side.
fn side(name: &str, path: &Path, streams: usize, events: i64, open: fn(&Path) -> Reader) -> Side {
    let (path, cents) = (path.to_owned(), OrderPlaced::CENTS * u64::try_from(events).expect("a count"));
    Side::new(name, move || {
        let mut read = open(&path);
        let streams = RandomStreams::among(streams);
        move || assert_eq!(read(&streams.next_id()), (events, cents))
    })
}
