//! How many statements an idle runner sends, including those that begin and end transactions.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use diesel::connection::InstrumentationEvent;
use diesel::prelude::*;
use diesel_event_store::projection::{Projection, Runner};
use diesel_event_store::sqlite::Synchronous;

use bench_support::database;

pub fn measure(partitions: i32, seconds: usize) {
    let counts = counts(seconds, partitions);
    let parts: Vec<String> = parts(&counts).map(|part| of_part(&counts, part)).collect();
    println!("idle runner with {partitions} partition(s), statements per second: {}", parts.join(", "));
}

/// The first second, the next ten, and the rest in tens.
fn parts(counts: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    let end = counts.len();
    let tens = (1..end).step_by(10).map(move |begin| (begin, end.min(begin + 10)));
    std::iter::once((0, 1)).chain(tens)
}

fn of_part(counts: &[usize], (begin, end): (usize, usize)) -> String {
    let sum: usize = counts[begin..end].iter().sum();
    format!("{:.1} up to second {end}", sum as f64 / (end - begin) as f64)
}

/// The statements of each second.
fn counts(seconds: usize, partitions: i32) -> Vec<usize> {
    let folder = database::folder();
    let path = database::filled(&folder, 10, 10);
    let statements = Arc::new(AtomicUsize::new(0));
    let connect = {
        let statements = Arc::clone(&statements);
        move || {
            let mut conn = database::connect(&path, Synchronous::Normal);
            count_in(&mut conn, Arc::clone(&statements));
            Ok::<_, ConnectionError>(conn)
        }
    };
    let nothing = Projection::new("nothing", 1, |_conn: &mut SqliteConnection, _event| Ok(()));
    let running = Runner::new(connect).projection(nothing.partitions(partitions)).start().expect("a runner");
    let counts = (0..seconds)
        .map(|_| {
            thread::sleep(Duration::from_secs(1));
            statements.swap(0, Ordering::Relaxed)
        })
        .collect();
    running.stop().expect("nothing went wrong");
    counts
}

fn count_in(conn: &mut SqliteConnection, statements: Arc<AtomicUsize>) {
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if matches!(event, InstrumentationEvent::StartQuery { .. }) {
            statements.fetch_add(1, Ordering::Relaxed);
        }
    });
}
