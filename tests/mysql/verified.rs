//! What only MySQL and MariaDB let into a log by hand, and is found.

use diesel_event_store::operate::{Finding, verify};
use test_support::{Result, execute};

use super::database::Database;

#[test]
fn what_is_no_json_and_ids_that_come_twice_are_found() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    execute(&mut conn, "ALTER TABLE events DROP INDEX events_event_id_key")?;
    for (version, payload, metadata) in [(1, "{", "1"), (2, "1", "[1,")] {
        let insert = format!(
            "INSERT INTO events (aggregate_type, aggregate_id, aggregate_version, event_id, event_type, \
             event_version, payload, metadata, created_at) VALUES ('User', 'raw', {version}, \
             '0198c2d4-0000-7000-8000-000000000001', 'Raw', 1, '{payload}', '{metadata}', UTC_TIMESTAMP(6))"
        );
        execute(&mut conn, &insert)?;
    }
    execute(
        &mut conn,
        "INSERT INTO aggregate_heads (aggregate_type, aggregate_id, aggregate_version, updated_at) \
         VALUES ('User', 'raw', 2, UTC_TIMESTAMP(6))",
    )?;
    let found: Vec<_> = verify(&mut conn)?.findings().iter().map(Finding::to_string).collect();
    let [payload, metadata, id] = &found[..] else { panic!("{found:?}") };
    assert!(payload.starts_with("position 1: the payload is not JSON: EOF"), "{payload}");
    assert!(metadata.starts_with("position 2: the metadata is not JSON: EOF"), "{metadata}");
    assert_eq!(id, "several events have the id 0198c2d4-0000-7000-8000-000000000001");
    Ok(())
}
