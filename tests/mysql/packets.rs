//! What a server takes at once: its max_allowed_packet.

use diesel_event_store::{AppendError, EventStore, ExpectedVersion, NewEvent};
use test_support::{Result, count, execute, user};

use super::database::{Database, number, text};

const MIB: usize = 1 << 20;
const STORE: EventStore = EventStore::new().max_json_bytes(200 * MIB);

fn event(bytes: usize) -> Result<NewEvent> {
    Ok(NewEvent::from_json("Large", format!("\"{}\"", "x".repeat(bytes - 2)))?)
}

#[test]
fn an_event_that_the_server_does_not_take_is_refused_before_anything_is_written() -> Result {
    let db = Database::in_a_server_of_its_own()?;
    let mut conn = db.connect()?;
    let packet = usize::try_from(number(&mut conn, "@@max_allowed_packet")?)?;
    let batch = [event(10)?, event(packet)?];
    let refused = STORE.append(&mut conn, &user("alice")?, ExpectedVersion::Any, &batch).unwrap_err();
    let AppendError::Invalid(invalid) = refused else { return Err(refused.into()) };
    assert_eq!((invalid.event_index(), invalid.field()), (Some(1), "payload"));
    assert_eq!(count(&mut conn, "aggregate_heads")?, 0);

    // The connection is as good as before.
    STORE.append(&mut conn, &user("alice")?, ExpectedVersion::NoStream, &[event(packet - 10_000)?])?;
    Ok(())
}

/// Together they are more than one packet.
#[test]
fn a_batch_may_be_larger_than_a_packet() -> Result {
    let db = Database::in_a_server_of_its_own()?;
    let mut admin = db.connect()?;
    let packet = text(&mut admin, "@@max_allowed_packet")?;
    execute(&mut admin, &format!("SET GLOBAL max_allowed_packet = {MIB}"))?;
    let outcome = append_and_read(&db, 30, MIB - 20_000);
    execute(&mut admin, &format!("SET GLOBAL max_allowed_packet = {packet}"))?;
    outcome
}

#[test]
fn a_payload_of_tens_of_megabytes_is_kept_whole() -> Result {
    let db = Database::in_a_server_of_its_own()?;
    let mut admin = db.connect()?;
    let packet = text(&mut admin, "@@max_allowed_packet")?;
    execute(&mut admin, &format!("SET GLOBAL max_allowed_packet = {}", 100 * MIB))?;
    let outcome = append_and_read(&db, 2, 40 * MIB);
    execute(&mut admin, &format!("SET GLOBAL max_allowed_packet = {packet}"))?;
    outcome
}

fn append_and_read(db: &Database, events: usize, bytes: usize) -> Result {
    let mut conn = db.connect()?;
    let batch = (0..events).map(|_| event(bytes)).collect::<Result<Vec<_>>>()?;
    let appended = STORE.append(&mut conn, &user("alice")?, ExpectedVersion::NoStream, &batch)?;
    let read = STORE.read_stream(&mut conn, &user("alice")?, ..)?;
    assert!(read.events() == appended.events());
    Ok(())
}
