//! A shop's database, as an application has filled it.

use diesel::prelude::*;
use diesel_event_store::chrono::{DateTime, Duration, Utc};
use diesel_event_store::projection::{OnFailure, Projection};
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, RecordedEvent, StreamId};
use test_support::sqlite_file::SqliteFile;

const STORE: EventStore = EventStore::new();

pub fn shop() -> SqliteFile {
    let file = SqliteFile::migrated();
    let conn = &mut file.connect();
    for order in 1..=20 {
        place(conn, order);
    }
    Projection::new("mails", 1, |_: &mut SqliteConnection, event: &RecordedEvent| {
        match event.position().get() {
            8 => Err(std::io::Error::other("the mail server is away").into()),
            _ => Ok(()),
        }
    })
    .on_failure(OnFailure::Park)
    .catch_up(conn)
    .unwrap();
    file
}

/// An order that is placed, paid and sent, each because of the one before.
fn place(conn: &mut SqliteConnection, order: i64) {
    let event = |event_type: &'static str, payload: String, minute: i64| {
        let time = noon() + Duration::minutes(3 * order + minute);
        let event = NewEvent::from_json(event_type, payload).unwrap().created_at(time);
        event.correlation_id(format!("checkout/{order}"))
    };
    let placed = event("OrderPlaced", with_status("placed", order), 0);
    let paid = event("OrderPaid", with_status("paid", order), 1).causation_id(placed.id());
    let paid = paid.metadata(&"by the web shop").unwrap();
    let weight = format!(r#"{{"order":"o/{order}#1","weight":{}}}"#, 300 + order);
    let sent = event("ParcelSent", weight, 2).causation_id(paid.id());
    append(conn, "Order", &format!("o/{order}#1"), &[placed, paid]);
    append(conn, "Parcel", &format!("p-{order}"), &[sent]);
}

fn with_status(status: &str, order: i64) -> String {
    let cents = 1990 + 250 * order;
    format!(r#"{{"status":"{status}","cents":{cents},"lines":[{{"sku":"tea-{order}","pieces":2}}]}}"#)
}

pub fn append(conn: &mut SqliteConnection, aggregate_type: &str, id: &str, events: &[NewEvent]) {
    let stream = StreamId::new(aggregate_type, id).unwrap();
    STORE.append(conn, &stream, ExpectedVersion::Any, events).unwrap();
}

fn noon() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}
