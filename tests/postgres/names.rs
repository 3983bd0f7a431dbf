//! Names that the event store needs and that something of the application's has already.

use diesel::connection::SimpleConnection;
use diesel_event_store::{MigrationError, run_pending_migrations};
use test_support::{self, Postgres, TestDatabase, table_exists};

/// What is created, its name, and its kind.
const TAKEN: [(&str, &str, &str); 9] = [
    ("CREATE TABLE events (id INT)", "events", "table"),
    ("CREATE VIEW aggregate_heads AS SELECT 1", "aggregate_heads", "view"),
    ("CREATE MATERIALIZED VIEW event_log AS SELECT 1 AS one", "event_log", "materialized view"),
    ("CREATE SEQUENCE parked_events", "parked_events", "sequence"),
    ("CREATE TABLE own (id INT); CREATE INDEX events ON own (id)", "events", "index"),
    ("CREATE TYPE projection_workers AS (id INT)", "projection_workers", "type"),
    ("CREATE TYPE event_log AS ENUM ('one')", "event_log", "type"),
    ("CREATE FUNCTION events_notify() RETURNS INT LANGUAGE sql AS 'SELECT 1'", "events_notify", "function"),
    ("CREATE TABLE \"events\" (id INT) PARTITION BY RANGE (id)", "events", "table"),
];

#[test]
fn what_has_one_is_called_by_its_kind_and_stays() -> test_support::Result {
    for (create, name, kind) in TAKEN {
        for is_in_a_transaction in [false, true] {
            let database = Postgres::create()?;
            let mut conn = database.connect()?;
            conn.batch_execute(create)?;
            let refused = if is_in_a_transaction {
                let mut refused = None;
                diesel::Connection::transaction(&mut conn, |conn| {
                    refused = run_pending_migrations(conn).err();
                    diesel::QueryResult::Ok(())
                })?;
                refused.expect("the name is taken")
            } else {
                run_pending_migrations(&mut conn).expect_err("the name is taken")
            };
            match &refused {
                MigrationError::TableExists { table, kind: named, .. } => {
                    assert_eq!((table.as_str(), named.as_str()), (name, kind), "{create}");
                }
                other => panic!("{create}: {other:?}"),
            }
            assert!(refused.to_string().contains(&format!("the {kind} {name},")), "{refused}");
            assert!(!table_exists(&mut conn, "projection_checkpoints"), "{create}");
        }
    }
    Ok(())
}
