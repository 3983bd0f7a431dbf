//! A handler that acts outside the database acts at least once per event. The receiver recognises repetitions
//! by the event's id: `cargo run --example mails`

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex};

use diesel::prelude::*;
use diesel_event_store::projection::{OnFailure, Projection, ProjectionError};
use diesel_event_store::uuid::Uuid;
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId, sqlite};

/// An external mail service. Like most of them, it takes an idempotency key with each mail.
#[derive(Default)]
struct MailService {
    requests: usize,
    sent: HashMap<Uuid, String>,
}

impl MailService {
    fn send(&mut self, idempotency_key: Uuid, to: &str) {
        self.requests += 1;
        // A known key is a repetition: the request succeeds and sends nothing.
        self.sent.entry(idempotency_key).or_insert_with(|| to.to_owned());
    }
}

/// The mail leaves before the checkpoint commits. If the commit fails, the handler gets the event again.
fn mails(service: Arc<Mutex<MailService>>, crash_after: Option<usize>) -> Projection<SqliteConnection> {
    Projection::new("mails", 1, move |_conn: &mut SqliteConnection, event| {
        let mut service = service.lock().expect("sending does not panic");
        service.send(event.id(), &event.payload::<String>()?);
        if crash_after == Some(service.requests) {
            return Err(std::io::Error::other("the connection to the database is gone").into());
        }
        Ok(())
    })
    .event_types(["UserCreated"])
    .on_failure(OnFailure::Stop)
    .retries(0, std::time::Duration::ZERO)
    // A failed batch is applied again, so a batch of one repeats one mail at most.
    .batch_size(1)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let mut conn = open(&folder.path().join("users.db"))?;
    diesel_event_store::run_pending_migrations(&mut conn)?;
    for name in ["alice", "bob", "carol"] {
        let created = [NewEvent::new("UserCreated", &format!("{name}@example.com"))?];
        EventStore::new().append(
            &mut conn,
            &StreamId::new("User", name)?,
            ExpectedVersion::NoStream,
            &created,
        )?;
    }

    // The second mail is sent, but its checkpoint is not committed.
    let service = Arc::new(Mutex::new(MailService::default()));
    let crashed = mails(Arc::clone(&service), Some(2)).catch_up(&mut conn);
    assert!(matches!(crashed, Err(ProjectionError::Failed { .. })));

    // So the next run sends it again and continues. No mail is missing …
    let caught_up = mails(Arc::clone(&service), None).catch_up(&mut conn)?;
    assert_eq!(caught_up.applied(), 2);

    // … and thanks to the key, no customer gets one twice.
    let service = service.lock().expect("sending does not panic");
    assert_eq!((service.requests, service.sent.len()), (4, 3));
    println!("✓ {} requests, {} mails", service.requests, service.sent.len());
    Ok(())
}

fn open(path: &Path) -> Result<SqliteConnection, Box<dyn Error>> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
    sqlite::Options::default().apply(&mut conn)?;
    Ok(conn)
}
