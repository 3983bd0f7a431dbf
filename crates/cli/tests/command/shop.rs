//! A shop's database, as an application has filled it.

use diesel::prelude::*;
use diesel_event_store::projection::{OnFailure, Projection};
use diesel_event_store::{EventConnection, EventStore, ExpectedVersion, NewEvent, RecordedEvent, StreamId};
use test_support::sqlite_file::SqliteFile;

const STORE: EventStore = EventStore::new();

pub fn shop() -> SqliteFile {
    let file = SqliteFile::migrated();
    fill(&mut file.connect());
    file
}

pub fn url(file: &SqliteFile) -> String {
    file.path().display().to_string()
}

/// Two orders, and a projection that could not send the second mail.
fn fill(conn: &mut SqliteConnection) {
    append(conn, "o-1", &["OrderPlaced", "OrderPaid"]);
    append(conn, "o-2", &["OrderPlaced"]);
    Projection::new("mails", 1, |_: &mut SqliteConnection, event: &RecordedEvent| match event.event_type() {
        "OrderPaid" => Err(std::io::Error::other("the mail server is away").into()),
        _ => Ok(()),
    })
    .on_failure(OnFailure::Park)
    .catch_up(conn)
    .unwrap();
}

/// With a payload of its own for each.
pub fn append<C: EventConnection + ?Sized>(conn: &mut C, order: &str, types: &[&'static str]) {
    let stream = StreamId::new("Order", order).unwrap();
    let event = |&event_type: &&'static str| {
        let payload = format!(r#"{{"order":"{order}","total":1e400}}"#);
        NewEvent::from_json(event_type, payload).unwrap().correlation_id(order)
    };
    let events: Vec<_> = types.iter().map(event).collect();
    STORE.append(conn, &stream, ExpectedVersion::Any, &events).unwrap();
}
