//! A handler that does nothing, compared with reading the log without a projection.

use std::path::Path;

use diesel::prelude::*;
use diesel_event_store::projection::Projection;
use diesel_event_store::sqlite::Synchronous;
use diesel_event_store::{EventStore, Position};

use super::running::{reset, run_to_the_end};
use bench_support::bench::Bench;
use bench_support::database;
use bench_support::side::Side;

const NAME: &str = "nothing";
const EVENTS_EACH: i64 = 10;

pub fn compare(bench: &mut Bench, events: usize, batch_size: usize, synchronous: Synchronous) {
    let folder = database::folder();
    let path = database::filled(&folder, events / 10, EVENTS_EACH);
    let name = format!("do nothing with {events} events, {batch_size} at a time, {synchronous:?}");
    let sides = || {
        vec![
            plain(&path, events, batch_size, synchronous),
            catch_up(&path, events, batch_size, synchronous),
            runner(&path, events, batch_size, synchronous),
        ]
    };
    bench.compare(&name, 1, sides, &[(0, 1), (0, 2)]);
}

fn plain(path: &Path, events: usize, batch_size: usize, synchronous: Synchronous) -> Side {
    let path = path.to_owned();
    Side::new("plain read", move || {
        let mut conn = database::connect(&path, synchronous);
        move || assert_eq!(read_all(&mut conn, batch_size), events)
    })
}

fn read_all(conn: &mut SqliteConnection, page_size: usize) -> usize {
    let (mut position, mut read) = (Position::START, 0);
    loop {
        let slice = EventStore::new().read_forward(conn, position, page_size).expect("a page");
        (position, read) = (slice.scanned_to(), read + slice.len());
        if slice.is_end() {
            return read;
        }
    }
}

fn nothing(batch_size: usize) -> Projection<SqliteConnection> {
    Projection::new(NAME, 1, |_conn, _event| Ok(())).batch_size(batch_size)
}

fn catch_up(path: &Path, events: usize, batch_size: usize, synchronous: Synchronous) -> Side {
    let path = path.to_owned();
    Side::new("catch_up", move || {
        let mut conn = database::connect(&path, synchronous);
        let nothing = nothing(batch_size);
        move || {
            reset(&mut conn, NAME);
            let caught_up = nothing.catch_up(&mut conn).expect("it catches up");
            assert_eq!(caught_up.applied(), events as u64);
        }
    })
}

/// Includes the runner's start and stop.
fn runner(path: &Path, events: usize, batch_size: usize, synchronous: Synchronous) -> Side {
    let path = path.to_owned();
    Side::new("runner", move || {
        let path = path.clone();
        move || {
            reset(&mut database::connect(&path, synchronous), NAME);
            run_to_the_end(&path, synchronous, nothing(batch_size), events);
        }
    })
}
