//! Times are in UTC, whatever the time zone of the session.

use diesel::connection::SimpleConnection;
use diesel_event_store::chrono::{DateTime, Utc};
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, Position, StreamId};
use test_support::{self, Postgres, TestDatabase};

#[test]
fn a_time_is_the_same_in_every_session() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    let store = EventStore::new();
    let time: DateTime<Utc> = "2026-03-29T01:30:00.123456Z".parse()?;
    for zone in ["UTC", "Asia/Kathmandu", "America/St_Johns"] {
        conn.batch_execute(&format!("SET TIME ZONE '{zone}'"))?;
        let event = NewEvent::new("Timed", &())?.created_at(time);
        store.append(&mut conn, &StreamId::new("Session", zone)?, ExpectedVersion::NoStream, &[event])?;
        store.save_checkpoint(&mut conn, zone, Position::START)?;
    }
    for zone in ["UTC", "Pacific/Auckland"] {
        conn.batch_execute(&format!("SET TIME ZONE '{zone}'"))?;
        let log = store.read_forward(&mut conn, Position::START, 10)?;
        assert_eq!(log.events().iter().map(|event| event.created_at()).collect::<Vec<_>>(), [time; 3]);
        for checkpoint in store.checkpoints(&mut conn)? {
            assert!((Utc::now() - checkpoint.updated_at()).num_minutes().abs() < 10);
        }
    }
    Ok(())
}
