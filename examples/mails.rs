//! A handler that acts outside the database acts at least once for each event, and the other side tells repetitions by the
//! event's id: `cargo run --example mails`

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex};

use diesel::prelude::*;
use diesel_event_store::projection::{OnFailure, Projection, ProjectionError};
use diesel_event_store::uuid::Uuid;
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId, sqlite};

/// Somebody else's mail service, which takes an idempotency key with each mail, as most do.
#[derive(Default)]
struct MailService {
    requests: usize,
    sent: HashMap<Uuid, String>,
}

impl MailService {
    fn send(&mut self, idempotency_key: Uuid, to: &str) {
        self.requests += 1;
        // A key that it has seen before is a repetition: it is answered, and nothing is sent.
        self.sent.entry(idempotency_key).or_insert_with(|| to.to_owned());
    }
}

/// The mail is out before the checkpoint is committed. If the commit does not come, the event will be given again.
fn mails(service: Arc<Mutex<MailService>>, crash_after: Option<usize>) -> Projection<SqliteConnection> {
    Projection::new("mails", 1, move |_conn: &mut SqliteConnection, event| {
        let mut service = service.lock().expect("nobody panics while sending");
        service.send(event.id(), &event.payload::<String>()?);
        if crash_after == Some(service.requests) {
            return Err(std::io::Error::other("the connection to the database is gone").into());
        }
        Ok(())
    })
    .event_types(["UserCreated"])
    .on_failure(OnFailure::Stop)
    .retries(0, std::time::Duration::ZERO)
    // The lease must outlast a batch, and a mail takes longer than a row: few at a time.
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

    // The second mail is sent, but its checkpoint is not saved.
    let service = Arc::new(Mutex::new(MailService::default()));
    let crashed = mails(Arc::clone(&service), Some(2)).catch_up(&mut conn);
    assert!(matches!(crashed, Err(ProjectionError::Failed { .. })));

    // So the next run sends it again, and goes on. Nothing was forgotten …
    let caught_up = mails(Arc::clone(&service), None).catch_up(&mut conn)?;
    assert_eq!(caught_up.applied(), 2);

    // … and thanks to the key nobody has got it twice.
    let service = service.lock().expect("nobody panics while sending");
    assert_eq!((service.requests, service.sent.len()), (4, 3));
    println!("✓ {} requests, {} mails", service.requests, service.sent.len());
    Ok(())
}

fn open(path: &Path) -> Result<SqliteConnection, Box<dyn Error>> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
    sqlite::Options::default().apply(&mut conn)?;
    Ok(conn)
}
