//! The few things that nearly all tests do with a database file.

use diesel::prelude::*;
use diesel_event_store::{EventConnection, EventStore, ExpectedVersion, NewEvent, StreamId};
use test_support::sqlite_file::{number, text};

pub const STORE: EventStore = EventStore::new();

pub fn stream(id: &str) -> StreamId {
    StreamId::new("Order", id).unwrap()
}

pub fn event() -> NewEvent {
    NewEvent::new("Placed", &serde_json::json!({ "cents": 1250 })).unwrap()
}

pub fn events(count: usize) -> Vec<NewEvent> {
    (0..count).map(|_| event()).collect()
}

/// A version after appending one event to whatever is there.
pub fn append_one(conn: &mut impl EventConnection, stream: &StreamId) -> i64 {
    STORE.append(conn, stream, ExpectedVersion::Any, &[event()]).unwrap().version()
}

pub fn count(conn: &mut SqliteConnection, table: &str) -> i64 {
    number(conn, &format!("SELECT count(*) FROM {table}"))
}

pub fn pragma(conn: &mut SqliteConnection, name: &str) -> String {
    text(conn, &format!("SELECT * FROM pragma_{name}"))
}
