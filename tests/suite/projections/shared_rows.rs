//! Partitions that write the same rows, in an order in which they get in each other's way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel_event_store::projection::Projection;
use diesel_event_store::{EventStore, RecordedEvent};
use test_support::{Result, TestDatabase, execute, names, wait_for_projection};

use super::{NAME, append, application, runner};

tests! {
    partitions_that_write_the_same_rows_meet_in_few_deadlocks,
}

/// Two batches want the same rows in different orders. Once they have met, the partitions take turns.
fn partitions_that_write_the_same_rows_meet_in_few_deadlocks<D: TestDatabase>() -> Result {
    const ROWS: i64 = 6;
    const EVENTS: i64 = 1_200;
    let (db, mut conn) = application::<D>()?;
    execute(&mut conn, "CREATE TABLE shared_rows (id BIGINT PRIMARY KEY, events BIGINT NOT NULL)")?;
    for row in 0..ROWS {
        execute(&mut conn, &format!("INSERT INTO shared_rows VALUES ({row}, 0)"))?;
    }
    for nth in 0..EVENTS {
        append(&mut conn, &format!("user {}", nth % 40), 1)?;
    }
    let refused = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&refused);
    let users = Projection::new(NAME, 1, move |conn: &mut D::Conn, event: &RecordedEvent| {
        let row = event.position().get() * 7 % 11 % ROWS;
        let update = format!("UPDATE shared_rows SET events = events + 1 WHERE id = {row}");
        execute(conn, &update).inspect_err(|_| {
            counted.fetch_add(1, Ordering::Relaxed);
        })?;
        Ok(())
    });
    let running = runner(&db).projection(users.partitions(4).batch_size(10)).start()?;
    let last = EventStore::new().last_position(&mut conn)?;
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    running.stop()?;
    let rows = names(&mut conn, "SELECT CAST(SUM(events) AS CHAR(20)) AS name FROM shared_rows")?;
    assert_eq!(rows.iter().map(|rows| rows.trim().parse()).collect::<Result<Vec<i64>, _>>()?, [EVENTS]);
    let refused = refused.load(Ordering::Relaxed);
    assert!(refused <= 15, "{refused} deadlocks in {} batches", EVENTS / 10);
    Ok(())
}
