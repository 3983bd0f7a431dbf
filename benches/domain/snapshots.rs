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

const EVERY_100: &str = "snapshots every 100 events";

pub fn compare(bench: &mut Bench) {
    let folder = database::folder();
    let streams = bench.size(2_000, 20);
    let of_them = || RandomStreams::among(streams);
    let sides = || {
        vec![
            side("from a snapshot", of_20_events::<20>(&folder, streams), of_them(), Order::<20>::load),
            side("from the events", of_20_events::<0>(&folder, streams), of_them(), Order::<0>::load),
        ]
    };
    bench.compare("loading an aggregate of 20 events", 30, sides, &[(0, 1)]);
    let of_10_events = || database::copy_of_filled(&folder, streams, 10);
    let sides = || {
        vec![
            side(EVERY_100, of_10_events(), of_them(), Order::<100>::execute),
            side("none", of_10_events(), of_them(), Order::<0>::execute),
        ]
    };
    bench.compare("a command on an aggregate of 10 events", 30, sides, &[(0, 1)]);
    let sides = || {
        vec![
            side(EVERY_100, of_10_events(), RandomStreams::new_ones(), Order::<100>::execute_100),
            side("none", of_10_events(), RandomStreams::new_ones(), Order::<0>::execute_100),
        ]
    };
    bench.compare("the first 100 commands on an aggregate", 1, sides, &[(0, 1)]);
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

/// The same aggregates in the same order on both sides.
fn side(
    name: &str,
    path: PathBuf,
    streams: RandomStreams,
    work: fn(&mut SqliteConnection, &str) -> u64,
) -> Side {
    Side::new(name, move || {
        let mut conn = database::connect(&path, Synchronous::Normal);
        let streams = streams.clone();
        move || {
            work(&mut conn, &streams.next_id());
        }
    })
}
