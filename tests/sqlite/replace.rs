use diesel::prelude::*;
use diesel_event_store::sqlite::Options;
use diesel_event_store::{DatabaseError, DatabaseErrorKind};
use test_support::sqlite_file::{SqliteFile, assert_intact, text};

use super::database::{append_one, stream};

const REPLACE: &str = "INSERT OR REPLACE INTO events \
    SELECT global_position, tenant_id, aggregate_type, aggregate_id, aggregate_version, event_id, event_type, \
           event_version, '\"forged\"', metadata, trace_id, correlation_id, causation_id, created_at FROM events";

#[test]
fn replacing_an_event_is_refused_with_recursive_triggers() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect_with(Options::default().recursive_triggers(true));
    append_one(&mut conn, &stream("1"));

    let refused = DatabaseError::from(diesel::sql_query(REPLACE).execute(&mut conn).unwrap_err());
    assert_eq!(refused.kind(), DatabaseErrorKind::AppendOnly);
    assert!(refused.to_string().contains("append-only"), "{refused}");
    assert_eq!(text(&mut conn, "SELECT payload FROM events"), r#"{"cents":1250}"#);
    assert_intact(&mut conn);
}

#[test]
fn without_them_sqlite_does_not_ask_the_trigger() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    append_one(&mut conn, &stream("1"));

    diesel::sql_query(REPLACE).execute(&mut conn).unwrap();
    assert_eq!(text(&mut conn, "SELECT payload FROM events"), r#""forged""#);
}
