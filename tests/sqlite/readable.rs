use diesel::prelude::*;
use diesel_event_store::chrono::{DateTime, Utc};
use diesel_event_store::uuid::Uuid;
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, Position};
use test_support::sqlite_file::{SqliteFile, number, text};

use super::database::stream;

const TIME: &str = "2026-11-22T05:12:45.403334Z";

fn one_event() -> (SqliteFile, SqliteConnection) {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    let placed = NewEvent::new("Placed", &serde_json::json!({ "cents": 1250 }))
        .unwrap()
        .with_id(Uuid::from_u128(0x0190_ABCD))
        .metadata(&serde_json::json!({ "ip": "::1" }))
        .unwrap()
        .created_at(TIME.parse::<DateTime<Utc>>().unwrap());
    EventStore::new().append(&mut conn, &stream("1"), ExpectedVersion::NoStream, &[placed]).unwrap();
    EventStore::new().save_checkpoint(&mut conn, "invoices", Position::new(1).unwrap()).unwrap();
    (database, conn)
}

#[test]
fn ids_json_and_times_are_text() {
    let (_database, mut conn) = one_event();
    for column in [
        "tenant_id",
        "aggregate_type",
        "aggregate_id",
        "event_id",
        "event_type",
        "payload",
        "metadata",
        "created_at",
    ] {
        assert_eq!(text(&mut conn, &format!("SELECT typeof({column}) FROM events")), "text", "{column}");
    }
    for column in ["global_position", "aggregate_version", "event_version"] {
        assert_eq!(text(&mut conn, &format!("SELECT typeof({column}) FROM events")), "integer", "{column}");
    }
    for table in ["aggregate_heads", "projection_checkpoints"] {
        assert_eq!(text(&mut conn, &format!("SELECT typeof(updated_at) FROM {table}")), "text", "{table}");
    }
}

#[test]
fn an_event_reads_as_it_would_be_written_down() {
    let (_database, mut conn) = one_event();
    let columns = [
        "global_position",
        "tenant_id",
        "aggregate_type",
        "aggregate_id",
        "aggregate_version",
        "event_id",
        "event_type",
        "event_version",
        "payload",
        "metadata",
        "created_at",
    ];
    let row = text(&mut conn, &format!("SELECT {} FROM events", columns.join(" || '|' || ")));
    assert_eq!(
        row,
        format!(
            r#"1||Order|1|1|00000000-0000-0000-0000-00000190abcd|Placed|1|{{"cents":1250}}|{{"ip":"::1"}}|{TIME}"#
        )
    );
}

#[test]
fn the_times_of_the_store_itself_look_the_same() {
    let (_database, mut conn) = one_event();
    let digits = |pattern: &str| pattern.replace('0', "[0-9]");
    let pattern = digits("0000-00-00T00:00:00.000000Z");
    for table in ["aggregate_heads", "projection_checkpoints"] {
        let matches = number(&mut conn, &format!("SELECT updated_at GLOB '{pattern}' FROM {table}"));
        assert_eq!(matches, 1, "{}", text(&mut conn, &format!("SELECT updated_at FROM {table}")));
    }
}

#[test]
fn sqlite_computes_with_the_times() {
    let (_database, mut conn) = one_event();
    assert_eq!(text(&mut conn, "SELECT datetime(created_at) FROM events"), "2026-11-22 05:12:45");
    assert_eq!(text(&mut conn, "SELECT date(created_at, '+1 month') FROM events"), "2026-12-22");
}

#[test]
fn sqlite_looks_into_the_json() {
    let (_database, mut conn) = one_event();
    assert_eq!(number(&mut conn, "SELECT json_extract(payload, '$.cents') FROM events"), 1250);
    assert_eq!(text(&mut conn, "SELECT metadata ->> 'ip' FROM events"), "::1");
}
