//! Tracing events for the application's subscriber: appends, a conflict, and a projection that retries an
//! event and parks it. What the handler itself reports is inside the projection's span.
//!
//! `cargo run --features tracing --example with_tracing`

use std::time::Duration;

use diesel::prelude::*;
use diesel_event_store::projection::{self, HandlerError, OnFailure, Projection};
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId, run_pending_migrations};
use tracing::Level;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_max_level(Level::DEBUG).without_time().init();
    let mut conn = SqliteConnection::establish(":memory:")?;
    run_pending_migrations(&mut conn)?;

    let store = EventStore::new();
    for customer in ["alice", "bob", "carol"] {
        let stream = StreamId::new("Customer", customer)?;
        let registered = NewEvent::new("CustomerRegistered", &format!("{customer}@example.com"))?;
        store.append(&mut conn, &stream, ExpectedVersion::NoStream, &[registered])?;
    }
    let alice = StreamId::new("Customer", "alice")?;
    let again = NewEvent::new("CustomerRegistered", &"alice@example.com")?;
    store.append(&mut conn, &alice, ExpectedVersion::NoStream, &[again]).unwrap_err();

    let mails = Projection::new("welcome mails", 1, |_: &mut SqliteConnection, event| {
        let address: String = event.payload()?;
        tracing::info!(address, "sending a mail");
        if address.starts_with("bob") {
            return Err(HandlerError::failed("no such mailbox"));
        }
        Ok(())
    });
    let mails = mails.batch_size(1).retries(1, Duration::from_millis(10)).on_failure(OnFailure::Park);
    let caught_up = mails.catch_up(&mut conn)?;

    assert_eq!(caught_up.applied(), 2);
    assert_eq!(projection::parked(&mut conn, ("welcome mails", 1))?.len(), 1);
    Ok(())
}
