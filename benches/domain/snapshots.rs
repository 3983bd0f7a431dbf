//! What a snapshot saves, and what it costs.

use std::path::PathBuf;

use bench_support::bench::Bench;
use bench_support::database;
use bench_support::order::Order;
use bench_support::side::Side;
use bench_support::workload::{RandomStreams, aggregate_id};
use diesel::SqliteConnection;
use diesel_event_store::sqlite::Synchronous;
use tempfile::TempDir;

pub fn compare(bench: &mut Bench) {
    let folder = database::folder();
    let streams = bench.size(2_000, 20);
    let sides = || {
        vec![
            side("from a snapshot", of_20_events::<20>(&folder, streams), streams, Order::<20>::load),
            side("from the events", of_20_events::<0>(&folder, streams), streams, Order::<0>::load),
        ]
    };
    bench.compare("loading an aggregate of 20 events", 30, sides, &[(0, 1)]);
    let of_10_events = || database::copy_of_filled(&folder, streams, 10);
    let sides = || {
        vec![
            side("snapshots every 100 events", of_10_events(), streams, Order::<100>::execute),
            side("none", of_10_events(), streams, Order::<0>::execute),
        ]
    };
    bench.compare("a command on an aggregate of 10 events", 30, sides, &[(0, 1)]);
}

/// The last of them is appended by a command, which keeps the state if it is due.
fn of_20_events<const EVERY: u32>(folder: &TempDir, streams: usize) -> PathBuf {
    let path = database::copy_of_filled(folder, streams, 19);
    let mut conn = database::connect(&path, Synchronous::Normal);
    for number in 0..streams {
        Order::<EVERY>::execute(&mut conn, &aggregate_id(number));
    }
    path
}

/// Random aggregates, the same ones in the same order on both sides.
fn side(name: &str, path: PathBuf, streams: usize, work: fn(&mut SqliteConnection, &str) -> u64) -> Side {
    let streams = RandomStreams::among(streams);
    Side::new(name, move || {
        let mut conn = database::connect(&path, Synchronous::Normal);
        let streams = streams.clone();
        move || {
            work(&mut conn, &streams.next_id());
        }
    })
}
