//! A read model of a few rows, each of which events of many streams change.

use diesel::connection::SimpleConnection;
use diesel_event_store::RecordedEvent;
use diesel_event_store::projection::HandlerError;

use crate::workload::scatter;

pub const ROWS: u64 = 30;

/// Events that are applied together.
pub const BATCH_SIZE: usize = 10;

pub fn create(conn: &mut impl SimpleConnection) {
    let rows: Vec<String> = (0..ROWS).map(|row| format!("({row}, 0)")).collect();
    conn.batch_execute("CREATE TABLE shared_rows (id INTEGER PRIMARY KEY, events BIGINT NOT NULL)")
        .and_then(|()| conn.batch_execute(&format!("INSERT INTO shared_rows VALUES {}", rows.join(", "))))
        .expect("the rows");
}

/// Changes one of them.
pub fn count(conn: &mut impl SimpleConnection, event: &RecordedEvent) -> Result<(), HandlerError> {
    let row = scatter(event.position().get().unsigned_abs()) % ROWS;
    Ok(conn.batch_execute(&format!("UPDATE shared_rows SET events = events + 1 WHERE id = {row}"))?)
}
