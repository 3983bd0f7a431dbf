use diesel_event_store::{EventConnection, EventStore, Position, StreamId};

use crate::store::Store;
use bench_support::events::{cents, prepare};
use bench_support::payload::{AGGREGATE_TYPE, OrderPlaced};
use bench_support::workload::Append;

/// What an application does with diesel_event_store.
pub struct OurStore<C> {
    pub conn: C,
    store: EventStore,
}

impl<C: EventConnection> OurStore<C> {
    pub fn new(conn: C) -> Self {
        Self { conn, store: EventStore::new() }
    }

    pub fn last_position(&mut self) -> i64 {
        self.store.last_position(&mut self.conn).expect("the position").get()
    }
}

impl<C: EventConnection> Store for OurStore<C> {
    fn append(&mut self, append: &Append, payloads: &[OrderPlaced]) -> i64 {
        let (stream, expected, events) = prepare(append, payloads);
        let appended = self.store.append(&mut self.conn, &stream, expected, &events).expect("the append");
        appended.last_position().get()
    }

    fn read_page(&mut self, after: i64, limit: usize) -> (i64, u64) {
        let after = Position::new(after).expect("a position");
        let slice = self.store.read_forward(&mut self.conn, after, limit).expect("the page");
        (slice.scanned_to().get(), cents(slice.events()))
    }

    fn read_stream(&mut self, aggregate_id: &str) -> (i64, u64) {
        let stream = StreamId::new(AGGREGATE_TYPE, aggregate_id).expect("a name");
        let slice = self.store.read_stream(&mut self.conn, &stream, ..).expect("the stream");
        (slice.version(), cents(slice.events()))
    }
}
