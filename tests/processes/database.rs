//! How the processes use the database that they share.

use std::path::Path;
use std::time::Duration;

use diesel::prelude::*;
use diesel_event_store::sqlite::{Options, Synchronous};
use diesel_event_store::{EventStore, StreamId};

pub const STORE: EventStore = EventStore::new();

/// Waits for a lock however busy the machine is.
pub fn connect(path: impl AsRef<Path>, synchronous: Synchronous) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(&path.as_ref().display().to_string()).unwrap();
    let patient = Options::default().busy_timeout(Duration::from_secs(300)).synchronous(synchronous);
    patient.apply(&mut conn).unwrap();
    conn
}

pub fn stream(id: impl ToString) -> StreamId {
    StreamId::new("Counter", id).unwrap()
}
