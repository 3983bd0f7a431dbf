//! A projection whose partitions write the same few rows: four partitions compared with one. A single
//! transaction writes at a time, so they can be no faster.

use std::path::Path;

use bench_support::bench::Bench;
use bench_support::database;
use bench_support::side::Side;
use bench_support::workload::scatter;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::projection::{self, Projection, ProjectionError};
use diesel_event_store::sqlite::Synchronous;

use super::running::run_to_the_end;

const ROWS: u64 = 30;
const BATCH_SIZE: usize = 10;
const EVENTS_EACH: i64 = 10;

pub fn compare(bench: &mut Bench, events: usize) {
    let folder = database::folder();
    let path = database::filled(&folder, events / 10, EVENTS_EACH);
    create_rows(&mut database::connect(&path, Synchronous::Normal));
    let name = format!("change {ROWS} rows by {events} events, {BATCH_SIZE} at a time");
    let sides = || vec![side("4 partitions", &path, events, 4), side("1 partition", &path, events, 1)];
    bench.compare(&name, 1, sides, &[(0, 1)]);
}

fn create_rows(conn: &mut SqliteConnection) {
    let rows: Vec<String> = (0..ROWS).map(|row| format!("({row}, 0)")).collect();
    conn.batch_execute("CREATE TABLE shared_rows (id INTEGER PRIMARY KEY, events BIGINT NOT NULL)")
        .and_then(|()| conn.batch_execute(&format!("INSERT INTO shared_rows VALUES {}", rows.join(", "))))
        .expect("the rows");
}

/// Includes the runner's start and stop.
fn side(name: &'static str, path: &Path, events: usize, partitions: i32) -> Side {
    let path = path.to_owned();
    Side::new(name, move || {
        let path = path.clone();
        move || {
            reset(&mut database::connect(&path, Synchronous::Normal), name);
            run_to_the_end(&path, Synchronous::Normal, count(name).partitions(partitions), events);
        }
    })
}

fn count(name: &str) -> Projection<SqliteConnection> {
    let count = Projection::new(name, 1, |conn: &mut SqliteConnection, event| {
        let row = scatter(event.position().get().unsigned_abs()) % ROWS;
        let update = format!("UPDATE shared_rows SET events = events + 1 WHERE id = {row}");
        Ok(conn.batch_execute(&update)?)
    });
    count.batch_size(BATCH_SIZE)
}

/// Moves the projection back to the beginning, if it has ever run.
fn reset(conn: &mut SqliteConnection, name: &str) {
    match projection::reset(conn, (name, 1), |_conn| Ok::<_, ProjectionError>(())) {
        Ok(()) | Err(ProjectionError::Unknown { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}
