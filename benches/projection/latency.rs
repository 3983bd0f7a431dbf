//! The time from the commit of an append to the commit of the batch that applies it, by a runner in the same
//! process.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel_event_store::projection::{Progress, Projection, Runner};
use diesel_event_store::sqlite::Synchronous;
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, Position, StreamId};

use bench_support::database;
use bench_support::payload::{AGGREGATE_TYPE, EVENT_TYPE, OrderPlaced};
use bench_support::workload::scatter;

pub fn measure(appends: usize) {
    for synchronous in [Synchronous::Normal, Synchronous::Full] {
        let latencies = latencies(appends, synchronous);
        let of = |share: usize| latencies[(latencies.len() - 1) * share / 100];
        println!(
            "from commit to applied, {synchronous:?}, {appends} single appends with pauses between: \
             p50 {:.2?}, p99 {:.2?}, at most {:.2?}",
            of(50),
            of(99),
            of(100),
        );
    }
}

/// The latencies, sorted.
fn latencies(appends: usize, synchronous: Synchronous) -> Vec<Duration> {
    let folder = database::folder();
    let path = database::empty(&folder);
    let (applied, progress) = mpsc::channel();
    let connect = {
        let path = path.clone();
        move || Ok::<_, ConnectionError>(database::connect(&path, synchronous))
    };
    let running = Runner::new(connect)
        .projection(Projection::new("nothing", 1, |_conn: &mut SqliteConnection, _event| Ok(())))
        .on_progress(move |progress: &Progress| {
            applied.send((progress.position(), Instant::now())).expect("a listener")
        })
        .start()
        .expect("a runner");
    let mut conn = database::connect(&path, synchronous);
    let mut latencies: Vec<Duration> = (0..appends)
        .map(|nth| {
            // Long enough that the runner is idle when the next append comes, and never in step with its
            // pauses.
            thread::sleep(Duration::from_micros(2_000 + scatter(nth as u64) % 20_000));
            let (position, committed) = append(&mut conn);
            applied_at(&progress, position).saturating_duration_since(committed)
        })
        .collect();
    running.stop().expect("nothing went wrong");
    latencies.sort();
    latencies
}

fn append(conn: &mut SqliteConnection) -> (Position, Instant) {
    let stream = StreamId::new(AGGREGATE_TYPE, "7").expect("a name");
    let placed = [NewEvent::new(EVENT_TYPE, &OrderPlaced::example()).expect("JSON")];
    let appended =
        EventStore::new().append(conn, &stream, ExpectedVersion::Any, &placed).expect("the append");
    (appended.last_position(), Instant::now())
}

fn applied_at(progress: &mpsc::Receiver<(Position, Instant)>, wanted: Position) -> Instant {
    loop {
        let (position, applied) = progress.recv().expect("the runner continues");
        if position >= wanted {
            return applied;
        }
    }
}
