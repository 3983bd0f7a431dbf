//! What a server takes at once: its max_allowed_packet.

use std::time::Duration;

use diesel::mysql::MysqlConnection;
use diesel_event_store::projection::{self, OnFailure, Projection, Runner};
use diesel_event_store::{AppendError, EventStore, ExpectedVersion, NewEvent};
use test_support::{Result, count, counted, eventually, execute, user, wait_for_projection};

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

/// The server closes the connection on which it is sent.
#[test]
fn an_event_whose_row_the_server_does_not_take_falls_under_the_policy() -> Result {
    let db = Database::in_a_server_of_its_own()?;
    let mut conn = db.connect()?;
    let packet = usize::try_from(number(&mut conn, "@@max_allowed_packet")?)?;
    execute(&mut conn, "CREATE TABLE large (x LONGTEXT)")?;
    for aggregate in ["alice", "bob"] {
        STORE.append(&mut conn, &user(aggregate)?, ExpectedVersion::Any, &counted(1)?)?;
    }
    let users = Projection::new("users", 1, move |conn: &mut MysqlConnection, event| {
        let bytes = if event.aggregate_id() == "alice" { packet + MIB } else { 1 };
        execute(conn, &format!("INSERT INTO large VALUES ('{}')", "x".repeat(bytes)))?;
        Ok(())
    });
    let users = users.retries(1, Duration::from_millis(1)).on_failure(OnFailure::Park);
    let url = db.url();
    let connect = move || diesel::Connection::establish(&url);
    let running = Runner::<MysqlConnection>::new(connect).projection(users).start()?;
    eventually("it is parked", || {
        Ok(projection::parked(&mut conn, ("users", 1)).is_ok_and(|parked| !parked.is_empty()))
    })?;
    let last = STORE.last_position(&mut conn)?;
    wait_for_projection(&mut conn, ("users", 1), last)?;
    assert_eq!(count(&mut conn, "large")?, 1);
    drop(running);
    Ok(())
}
