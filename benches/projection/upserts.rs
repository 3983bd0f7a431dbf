//! A handler that upserts a row per event, compared with the same upserts without events in transactions of
//! that size.

use std::path::Path;

use diesel::prelude::*;
use diesel_event_store::projection::{self, Projection, ProjectionError};
use diesel_event_store::sqlite::Synchronous;

use super::running::run_to_the_end;
use bench_support::bench::Bench;
use bench_support::database;
use bench_support::side::Side;
use bench_support::workload::aggregate_id;

mod schema {
    diesel::table! {
        orders (id) {
            id -> Text,
            changes -> BigInt,
        }
    }
}
use schema::orders;

const EVENTS_EACH: i64 = 10;

pub fn compare(bench: &mut Bench, events: usize, batch_size: usize, synchronous: Synchronous) {
    let folder = database::folder();
    let path = database::filled(&folder, events / 10, EVENTS_EACH);
    diesel::sql_query(
        "CREATE TABLE orders (id TEXT PRIMARY KEY NOT NULL, changes BIGINT NOT NULL) WITHOUT ROWID",
    )
    .execute(&mut database::connect(&path, synchronous))
    .expect("a table");
    let name = format!("upsert a row for each of {events} events, {batch_size} at a time, {synchronous:?}");
    let sides = || {
        vec![
            bare(&path, events, batch_size, synchronous),
            catch_up(&path, events, batch_size, synchronous),
            runner(&path, events, batch_size, synchronous),
        ]
    };
    bench.compare(&name, 1, sides, &[(0, 1), (0, 2)]);
}

fn upsert(conn: &mut SqliteConnection, id: &str) -> QueryResult<usize> {
    diesel::insert_into(orders::table)
        .values((orders::id.eq(id), orders::changes.eq(1)))
        .on_conflict(orders::id)
        .do_update()
        .set(orders::changes.eq(orders::changes + 1))
        .execute(conn)
}

fn clear(conn: &mut SqliteConnection) -> QueryResult<usize> {
    diesel::delete(orders::table).execute(conn)
}

fn changes(conn: &mut SqliteConnection) -> i64 {
    let changes: Vec<i64> = orders::table.select(orders::changes).load(conn).expect("the rows");
    changes.into_iter().sum()
}

/// The keys in the order of the log.
fn bare(path: &Path, events: usize, batch_size: usize, synchronous: Synchronous) -> Side {
    let path = path.to_owned();
    Side::new("bare loop", move || {
        let mut conn = database::connect(&path, synchronous);
        let streams = events / 10;
        let ids: Vec<String> = (0..events).map(|event| aggregate_id(event % streams)).collect();
        move || {
            conn.immediate_transaction(clear).expect("an empty table");
            for batch in ids.chunks(batch_size) {
                let upsert_all =
                    |conn: &mut SqliteConnection| batch.iter().try_for_each(|id| upsert(conn, id).map(drop));
                conn.immediate_transaction(upsert_all).expect("the upserts");
            }
            assert_eq!(changes(&mut conn), events as i64);
        }
    })
}

fn catch_up(path: &Path, events: usize, batch_size: usize, synchronous: Synchronous) -> Side {
    let path = path.to_owned();
    Side::new("catch_up", move || {
        let mut conn = database::connect(&path, synchronous);
        let orders = projection(batch_size);
        move || {
            reset(&mut conn);
            orders.catch_up(&mut conn).expect("it catches up");
            assert_eq!(changes(&mut conn), events as i64);
        }
    })
}

/// Includes the runner's start and stop.
fn runner(path: &Path, events: usize, batch_size: usize, synchronous: Synchronous) -> Side {
    let path = path.to_owned();
    Side::new("runner", move || {
        let path = path.clone();
        let mut conn = database::connect(&path, synchronous);
        move || {
            reset(&mut conn);
            run_to_the_end(&path, synchronous, projection(batch_size), events);
            assert_eq!(changes(&mut conn), events as i64);
        }
    })
}

fn projection(batch_size: usize) -> Projection<SqliteConnection> {
    let orders = Projection::new("orders", 1, |conn: &mut SqliteConnection, event| {
        upsert(conn, event.aggregate_id())?;
        Ok(())
    });
    orders.batch_size(batch_size)
}

/// Moves the projection back to the beginning, if it has ever run.
fn reset(conn: &mut SqliteConnection) {
    let cleared = projection::reset(conn, ("orders", 1), |conn| {
        clear(conn)?;
        Ok::<_, ProjectionError>(())
    });
    match cleared {
        Ok(()) => {}
        Err(ProjectionError::Unknown { .. }) => drop(clear(conn).expect("an empty table")),
        Err(error) => panic!("{error}"),
    }
}
