use std::path::Path;

use diesel::prelude::*;
use diesel_event_store::sqlite::Synchronous;
use diesel_event_store::{EventStore, Position, StreamId};

use crate::database;
use crate::events::{cents, prepare};
use crate::payload::{AGGREGATE_TYPE, OrderPlaced};
use crate::workload::Append;

/// What an application does with this crate.
pub struct OurStore {
    conn: SqliteConnection,
    store: EventStore,
}

impl OurStore {
    /// On a database that has the tables.
    pub fn open(path: &Path, synchronous: Synchronous) -> Self {
        Self { conn: database::connect(path, synchronous), store: EventStore::new() }
    }

    pub fn append(&mut self, append: &Append, payloads: &[OrderPlaced]) -> i64 {
        let (stream, expected, events) = prepare(append, payloads);
        let appended = self.store.append(&mut self.conn, &stream, expected, &events).expect("the append");
        appended.last_position().get()
    }

    /// A page of the log, its payloads parsed: the position to go on from, and the sum of the orders.
    pub fn read_page(&mut self, after: i64, limit: usize) -> (i64, u64) {
        let after = Position::new(after).expect("a position");
        let slice = self.store.read_forward(&mut self.conn, after, limit).expect("the page");
        (slice.scanned_to().get(), cents(slice.events()))
    }

    /// A whole stream, its payloads parsed.
    pub fn read_stream(&mut self, aggregate_id: &str) -> (i64, u64) {
        let stream = StreamId::new(AGGREGATE_TYPE, aggregate_id).expect("a name");
        let slice = self.store.read_stream(&mut self.conn, &stream, ..).expect("the stream");
        (slice.version(), cents(slice.events()))
    }
}
