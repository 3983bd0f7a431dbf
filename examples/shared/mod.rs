//! What most applications do, the same on every database: append events, read the whole log, read one
//! aggregate.

use std::error::Error;

use diesel_event_store::uuid::Uuid;
use diesel_event_store::{
    EventConnection, EventStore, ExpectedVersion, LogQuery, NewEvent, Position, StreamId,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct UserCreated {
    name: String,
    email: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct UserEmailChanged {
    email: String,
}

pub fn run(conn: &mut impl EventConnection) -> Result<(), Box<dyn Error>> {
    println!("Setting up the database schema…");
    diesel_event_store::run_pending_migrations(conn)?;
    let store = EventStore::new();

    println!("\n=== Example 1: Appending Events ===");
    // A new user at each run, so that each run adds to the log of the last one.
    let alice = StreamId::new("User", Uuid::now_v7())?;
    let created = UserCreated { name: "Alice Smith".into(), email: "alice@example.com".into() };
    let changed = UserEmailChanged { email: "alice.smith@example.com".into() };

    let event = NewEvent::new("UserCreated", &created)?;
    let first = store.append(conn, &alice, ExpectedVersion::NoStream, &[event])?;
    println!("✓ UserCreated appended at position {}", first.last_position());

    let event = NewEvent::new("UserEmailChanged", &changed)?;
    let second = store.append(conn, &alice, ExpectedVersion::Exact(first.version()), &[event])?;
    println!("✓ UserEmailChanged appended at position {}", second.last_position());

    println!("\n=== Example 2: Reading All Events ===");
    let mut of_alice = 0;
    for event in store.iter_log(conn, LogQuery::after(Position::START)) {
        let event = event?;
        println!("  {}. {} of {}", event.position(), event.event_type(), event.stream());
        of_alice += usize::from(event.stream() == &alice);
    }

    println!("\n=== Example 3: Reading Aggregate Stream ===");
    let stream = store.read_stream(conn, &alice, ..)?;
    println!("Current version: {}", stream.version());
    println!("Total events: {}", stream.len());
    for event in &stream {
        println!("  Version {}: {} {}", event.version(), event.event_type(), event.payload_json());
    }

    assert!(first.last_position() < second.last_position());
    assert_eq!(of_alice, 2);
    assert_eq!((stream.version(), stream.len()), (2, 2));
    assert_eq!(stream.events()[0].payload::<UserCreated>()?, created);
    assert_eq!(stream.events()[1].payload::<UserEmailChanged>()?, changed);

    println!("\n✓ Example completed successfully!");
    Ok(())
}
