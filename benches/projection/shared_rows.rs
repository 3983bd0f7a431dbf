//! A projection whose partitions write the same few rows: four partitions compared with one. A single
//! transaction writes at a time, so they can be no faster.

use std::path::Path;

use bench_support::bench::Bench;
use bench_support::database;
use bench_support::shared_rows::{self, BATCH_SIZE, ROWS};
use bench_support::side::Side;
use diesel::SqliteConnection;
use diesel_event_store::projection::Projection;
use diesel_event_store::sqlite::Synchronous;

use super::running::{reset, run_to_the_end};

const EVENTS_EACH: i64 = 10;

pub fn compare(bench: &mut Bench, events: usize) {
    let folder = database::folder();
    let path = database::filled(&folder, events / 10, EVENTS_EACH);
    shared_rows::create(&mut database::connect(&path, Synchronous::Normal));
    let name = format!("change {ROWS} rows by {events} events, {BATCH_SIZE} at a time");
    let sides = || vec![side("4 partitions", &path, events, 4), side("1 partition", &path, events, 1)];
    bench.compare(&name, 1, sides, &[(0, 1)]);
}

/// Includes the runner's start and stop.
fn side(name: &'static str, path: &Path, events: usize, partitions: i32) -> Side {
    let path = path.to_owned();
    Side::new(name, move || {
        let path = path.clone();
        move || {
            reset(&mut database::connect(&path, Synchronous::Normal), name);
            run_to_the_end(&path, Synchronous::Normal, counting(name).partitions(partitions), events);
        }
    })
}

fn counting(name: &str) -> Projection<SqliteConnection> {
    Projection::new(name, 1, shared_rows::count).batch_size(BATCH_SIZE)
}
