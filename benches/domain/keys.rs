//! An append with an idempotency key, compared with one without.

use std::cell::Cell;
use std::rc::Rc;

use bench_support::bench::Bench;
use bench_support::database;
use bench_support::payload::{AGGREGATE_TYPE, EVENT_TYPE, OrderPlaced};
use bench_support::side::Side;
use bench_support::workload::{aggregate_id, scatter};
use diesel::SqliteConnection;
use diesel_event_store::sqlite::Synchronous;
use diesel_event_store::{AppendBatch, EventStore, ExpectedVersion, NewEvent, StreamId};
use tempfile::TempDir;

pub fn compare(bench: &mut Bench) {
    let folder = database::folder();
    let streams = bench.size(20_000, 20);
    let sides = || vec![side("with a key", &folder, streams, true), side("without", &folder, streams, false)];
    bench.compare("an append of 1 event with an idempotency key", 30, sides, &[(0, 1)]);
}

/// To random aggregates, the same ones in the same order on both sides. Every key is new.
fn side(name: &str, folder: &TempDir, streams: usize, with_key: bool) -> Side {
    let path = database::copy_of_filled(folder, streams, 1);
    let appends = Rc::new(Cell::new(0));
    Side::new(name, move || {
        let mut conn = database::connect(&path, Synchronous::Normal);
        let appends = Rc::clone(&appends);
        move || {
            let number = scatter(appends.replace(appends.get() + 1));
            let id = aggregate_id(usize::try_from(number).expect("64 bits") % streams);
            append(&mut conn, &id, with_key.then(|| format!("request-{number:016x}")));
        }
    })
}

fn append(conn: &mut SqliteConnection, id: &str, key: Option<String>) {
    let stream = StreamId::new(AGGREGATE_TYPE, id).expect("a name");
    let placed = [NewEvent::new(EVENT_TYPE, &OrderPlaced::example()).expect("JSON")];
    let Some(key) = key else {
        EventStore::new().append(conn, &stream, ExpectedVersion::Any, &placed).expect("the append");
        return;
    };
    let batch = AppendBatch::new().append(&stream, ExpectedVersion::Any, placed).idempotency_key(key);
    let appended = EventStore::new().append_batch(conn, &batch).expect("the append");
    assert!(!appended.is_repeat());
}
