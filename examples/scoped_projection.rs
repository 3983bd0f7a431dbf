//! A projection of some types of events, which skips the others without reading them:
//! `cargo run --example scoped_projection`

use std::error::Error;

use diesel::prelude::*;
use diesel_event_store::projection::{HandlerError, Projection};
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, RecordedEvent, StreamId, sqlite};

mod schema {
    diesel::table! {
        notes (position) {
            position -> BigInt,
            text -> Text,
        }
    }
}
use schema::notes;

fn note(conn: &mut SqliteConnection, event: &RecordedEvent) -> Result<(), HandlerError> {
    let text = format!("{} {}", event.stream(), event.event_type());
    let row = (notes::position.eq(event.position().get()), notes::text.eq(text));
    diesel::insert_into(notes::table).values(row).execute(conn)?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut conn = SqliteConnection::establish(":memory:")?;
    sqlite::Options::default().apply(&mut conn)?;
    diesel_event_store::run_pending_migrations(&mut conn)?;
    diesel::sql_query("CREATE TABLE notes (position BIGINT PRIMARY KEY NOT NULL, text TEXT NOT NULL)")
        .execute(&mut conn)?;

    let store = EventStore::new();
    for (aggregate_type, event_type) in [
        ("User", "Created"),
        ("Order", "Created"),
        ("Account", "Closed"),
        ("User", "Moved"),
        ("Order", "Paid"),
        ("Order", "Closed"),
    ] {
        let stream = StreamId::new(aggregate_type, "7")?;
        store.append(&mut conn, &stream, ExpectedVersion::Any, &[NewEvent::new(event_type, &())?])?;
    }

    // Only events of users and orders, and of these only what begins or ends. An event must pass both
    // filters.
    let scoped = Projection::new("notes", 1, note)
        .aggregate_types(["User", "Order"])
        .event_types(["Created", "Closed"]);
    let caught_up = scoped.catch_up(&mut conn)?;
    let texts: Vec<String> = notes::table.order(notes::position).select(notes::text).load(&mut conn)?;
    assert_eq!(texts, ["User/7 Created", "Order/7 Created", "Order/7 Closed"]);

    // The checkpoint moves to the end even when nothing matches, so skipped events are not looked at again.
    let moved = [NewEvent::new("Moved", &())?];
    let moved = store.append(&mut conn, &StreamId::new("User", "7")?, ExpectedVersion::Any, &moved)?;
    let passed_over = scoped.catch_up(&mut conn)?;
    assert_eq!((caught_up.applied(), passed_over.applied()), (3, 0));
    assert_eq!(passed_over.position(), moved.last_position());

    println!("✓ {} of {} events: {texts:?}", texts.len(), passed_over.position());
    Ok(())
}
