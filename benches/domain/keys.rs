//! An append with an idempotency key, compared with one without.

use bench_support::bench::Bench;
use bench_support::database;
use bench_support::events::{append_one, append_with_key};
use bench_support::side::Side;
use bench_support::workload::RandomStreams;
use diesel::SqliteConnection;
use diesel_event_store::sqlite::Synchronous;
use tempfile::TempDir;

pub fn compare(bench: &mut Bench) {
    let folder = database::folder();
    let streams = bench.size(20_000, 20);
    let sides = || {
        vec![
            side("with a key", &folder, streams, append_with_key),
            side("without", &folder, streams, append_one),
        ]
    };
    bench.compare("an append of 1 event with an idempotency key", 30, sides, &[(0, 1)]);
}

/// To random aggregates, the same ones in the same order on both sides. Every key is new.
fn side(name: &str, folder: &TempDir, streams: usize, append: fn(&mut SqliteConnection, &str)) -> Side {
    let path = database::copy_of_filled(folder, streams, 1);
    let streams = RandomStreams::among(streams);
    Side::new(name, move || {
        let mut conn = database::connect(&path, Synchronous::Normal);
        let streams = streams.clone();
        move || append(&mut conn, &streams.next_id())
    })
}
