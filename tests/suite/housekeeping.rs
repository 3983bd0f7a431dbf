//! What is done to the tables of the log past the triggers that keep it append-only.

use diesel_event_store::{ConnectionRef, EventConnection, Position};
use test_support::{Result, execute};

/// Removes events through the documented door.
pub fn remove<C: EventConnection>(conn: &mut C, condition: &str) -> Result {
    let [open, close] = door(conn);
    for statement in [open, &format!("DELETE FROM events WHERE {condition}"), close] {
        execute(conn, statement)?;
    }
    Ok(())
}

fn door<C: EventConnection>(conn: &mut C) -> [&'static str; 2] {
    match conn.lend() {
        #[cfg(feature = "postgres")]
        ConnectionRef::Postgres(_) => [
            "ALTER TABLE events DISABLE TRIGGER events_refuse_delete",
            "ALTER TABLE events ENABLE TRIGGER events_refuse_delete",
        ],
        #[cfg(feature = "mysql")]
        ConnectionRef::Mysql(_) => [
            "DROP TRIGGER events_refuse_delete",
            "CREATE TRIGGER events_refuse_delete BEFORE DELETE ON events FOR EACH ROW \
             IF NOT EXISTS (SELECT 1 FROM event_rewrites WHERE global_position = OLD.global_position \
             LOCK IN SHARE MODE) THEN \
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'events is append-only: DELETE is refused'; END IF",
        ],
        #[cfg(feature = "sqlite")]
        ConnectionRef::Sqlite(_) => [
            "DROP TRIGGER events_refuse_delete",
            "CREATE TRIGGER events_refuse_delete BEFORE DELETE ON events \
             WHEN NOT EXISTS (SELECT 1 FROM event_rewrites WHERE global_position = OLD.global_position) \
             BEGIN SELECT RAISE(ABORT, 'events is append-only: DELETE is refused'); END",
        ],
        _ => unreachable!("the suite does not know this database"),
    }
}

/// Puts the tables of the log back to where they were at a position, as from a backup. Checkpoints and read
/// models stay.
pub fn restore<C: EventConnection>(conn: &mut C, last: Position) -> Result {
    remove(conn, &format!("global_position > {last}"))?;
    execute(conn, "DELETE FROM aggregate_heads")?;
    for statement in counts(conn) {
        execute(conn, &statement.replace("LAST", &last.to_string()))?;
    }
    diesel_event_store::EventStore::new().repair(conn)?;
    Ok(())
}

/// What counts positions.
fn counts<C: EventConnection>(conn: &mut C) -> &'static [&'static str] {
    match conn.lend() {
        #[cfg(feature = "postgres")]
        ConnectionRef::Postgres(_) => &[
            "SELECT setval(event_store_sequence(), LAST)",
            "UPDATE event_log SET counted_position = LAST, published_position = NULL",
        ],
        #[cfg(feature = "mysql")]
        ConnectionRef::Mysql(_) => &[
            "ALTER TABLE events AUTO_INCREMENT = 1",
            "UPDATE event_log SET safe_position = LAST, draining_position = LAST, last_position = LAST",
        ],
        #[cfg(feature = "sqlite")]
        ConnectionRef::Sqlite(_) => &["UPDATE sqlite_sequence SET seq = LAST WHERE name = 'events'"],
        _ => unreachable!("the suite does not know this database"),
    }
}
