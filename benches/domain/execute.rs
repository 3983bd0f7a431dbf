//! A command on an aggregate of ten events, compared with reading its stream and appending by hand.

use bench_support::bench::Bench;
use bench_support::database;
use bench_support::order::Order;
use bench_support::side::Side;
use bench_support::workload::RandomStreams;
use diesel::SqliteConnection;
use diesel_event_store::sqlite::Synchronous;
use tempfile::TempDir;

const EVENTS_EACH: i64 = 10;

pub fn compare(bench: &mut Bench) {
    let folder = database::folder();
    let streams = bench.size(20_000, 20);
    let sides = || {
        vec![
            side("execute", &folder, streams, Order::<0>::execute),
            side("read and append", &folder, streams, Order::<0>::by_hand),
        ]
    };
    bench.compare("a command on an aggregate of 10 events, alone", 30, sides, &[(0, 1)]);
}

/// Random aggregates, the same ones in the same order on both sides.
fn side(
    name: &str,
    folder: &TempDir,
    streams: usize,
    command: fn(&mut SqliteConnection, &str) -> u64,
) -> Side {
    let path = database::copy_of_filled(folder, streams, EVENTS_EACH);
    let streams = RandomStreams::among(streams);
    Side::new(name, move || {
        let mut conn = database::connect(&path, Synchronous::Normal);
        let streams = streams.clone();
        move || {
            command(&mut conn, &streams.next_id());
        }
    })
}
