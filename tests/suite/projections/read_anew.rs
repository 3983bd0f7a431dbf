//! A worker that is put back while it runs is given what is in the log by then, soon, and nothing else.

use std::time::Duration;

use diesel_event_store::projection::{self, Projection, ProjectionError, RunnerHandle};
use diesel_event_store::{EventConnection, EventStore, Position};
use test_support::{Result, TestDatabase, advances_until, execute, wait_for_projection};

use super::super::housekeeping::remove;
use super::{NAME, append, application, applied, runner, users};

tests! {
    after_a_reset_it_is_not_given_what_was_erased,
    after_a_rewind_it_is_not_given_what_was_erased,
    partitions_that_are_reset_are_given_everything_once,
    an_idle_worker_begins_anew_at_once_and_has_lost_nothing,
}

/// It is renewed so seldom that a worker learns of nothing by the way.
const LEASE: Duration = Duration::from_secs(36_000);

/// Each worker has read the log, has nothing to do, and then bob is erased.
fn idle<D: TestDatabase>(partitions: i32) -> Result<(std::sync::Arc<D>, D::Conn, RunnerHandle, Position)> {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    append(&mut conn, "bob", 2)?;
    let last = append(&mut conn, "carol", 1)?.last_position();
    let running = runner(&db).projection(users().partitions(partitions).lease(LEASE)).start()?;
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    remove(&mut conn, "aggregate_id = 'bob'")?;
    Ok((db, conn, running, last))
}

fn clear<C: EventConnection>(conn: &mut C) -> Result<(), ProjectionError> {
    Ok(execute(conn, "DELETE FROM applied")?)
}

fn in_any_order<C: EventConnection>(conn: &mut C) -> Result<Vec<String>> {
    let mut rows = applied(conn)?;
    rows.sort();
    Ok(rows)
}

fn after_a_reset_it_is_not_given_what_was_erased<D: TestDatabase>() -> Result {
    for partitions in [1, 4] {
        let (_db, mut conn, running, last) = idle::<D>(partitions)?;
        for _ in 0..2 {
            projection::reset(&mut conn, (NAME, 1), clear)?;
            wait_for_projection(&mut conn, (NAME, 1), last)?;
            assert_eq!(in_any_order(&mut conn)?, ["alice 1", "carol 1"]);
        }
        running.stop()?;
    }
    Ok(())
}

fn after_a_rewind_it_is_not_given_what_was_erased<D: TestDatabase>() -> Result {
    for partitions in [1, 4] {
        let (_db, mut conn, running, _) = idle::<D>(partitions)?;
        clear(&mut conn)?;
        EventStore::new().rewind_checkpoint(&mut conn, NAME, Position::START)?;
        let rows = || in_any_order(&mut conn);
        advances_until("all is applied again", rows, |rows| rows.len() > 1)?;
        running.stop()?;
        assert_eq!(in_any_order(&mut conn)?, ["alice 1", "carol 1"]);
    }
    Ok(())
}

fn partitions_that_are_reset_are_given_everything_once<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    for user in 0..20 {
        append(&mut conn, &format!("user-{user}"), 5)?;
    }
    let last = append(&mut conn, "alice", 1)?.last_position();
    let running = runner(&db).projection(users().partitions(5).batch_size(3).lease(LEASE)).start()?;
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    for _ in 0..3 {
        projection::reset(&mut conn, (NAME, 1), clear)?;
        wait_for_projection(&mut conn, (NAME, 1), last)?;
        let rows = in_any_order(&mut conn)?;
        assert_eq!(rows.len(), 101, "{rows:?}");
    }
    Ok(running.stop()?)
}

fn an_idle_worker_begins_anew_at_once_and_has_lost_nothing<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let last = append(&mut conn, "alice", 2)?.last_position();
    let others = || Projection::new("others", 1, |_: &mut D::Conn, _| Ok(())).lease(LEASE);
    let running = runner(&db).projection(users().lease(LEASE)).projection(others()).start()?;
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    wait_for_projection(&mut conn, ("others", 1), last)?;
    projection::reset(&mut conn, (NAME, 1), clear)?;
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    EventStore::new().rewind_checkpoint(&mut conn, NAME, Position::START)?;
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 1", "alice 2"]);
    assert!(running.is_healthy());
    Ok(running.stop()?)
}
