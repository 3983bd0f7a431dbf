//! A worker that is put back while it runs is given what is in the log by then, soon, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use diesel::Connection;
use diesel::connection::InstrumentationEvent;
use diesel_event_store::projection::{self, Projection, ProjectionError, Runner, RunnerHandle};
use diesel_event_store::{EventConnection, EventStore, Position};
use test_support::{Result, TestDatabase, advances_until, eventually, execute, wait_for_projection};

use super::super::housekeeping::remove;
use super::{NAME, append, application, applied, runner, status, users};

tests! {
    after_a_reset_it_is_not_given_what_was_erased,
    after_a_rewind_it_is_not_given_what_was_erased,
    partitions_that_are_reset_are_given_everything_once,
    what_was_erased_while_its_partition_was_looked_at_is_not_given_to_it,
    an_idle_worker_begins_anew_at_once_and_has_lost_nothing,
}

/// It is renewed so seldom that a worker learns of nothing by the way.
const LEASE: Duration = Duration::from_secs(36_000);

/// Each worker has read the log, has nothing to do, and then bob is erased.
fn idle<D: TestDatabase>(partitions: i32) -> Result<(Arc<D>, D::Conn, RunnerHandle, Position)> {
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

/// Holds up a runner's manager just before it reads the rows of the partitions.
#[derive(Clone, Default)]
struct Gate(Arc<Held>);

#[derive(Default)]
struct Held {
    is_closed: AtomicBool,
    has_come: AtomicBool,
}

impl Gate {
    fn watch(&self, conn: &mut impl Connection) {
        let gate = self.clone();
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            let InstrumentationEvent::StartQuery { query, .. } = event else { return };
            if query.to_string().contains("ORDER BY partition_number") {
                gate.pass();
            }
        });
    }

    fn pass(&self) {
        while self.0.is_closed.load(Ordering::SeqCst) {
            self.0.has_come.store(true, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn hold_up(&self) -> Result {
        self.0.is_closed.store(true, Ordering::SeqCst);
        eventually("the manager has come", || Ok(self.0.has_come.load(Ordering::SeqCst)))
    }

    fn open(&self) {
        self.0.is_closed.store(false, Ordering::SeqCst);
    }
}

/// Another worker has one of the partitions. While the manager is about to look at the rows, the other partition
/// reads the log, then it is erased and both are reset.
fn what_was_erased_while_its_partition_was_looked_at_is_not_given_to_it<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let users = || users().partitions(2).lease(Duration::from_secs(1));
    users().catch_up(&mut conn)?;
    let of_another = "WHERE partition_number = 1";
    execute(
        &mut conn,
        &format!(
            "UPDATE projection_checkpoints SET owner = 'another', leased_until = 99999999999999 {of_another}"
        ),
    )?;
    let (gate, watched) = (Gate::default(), Arc::clone(&db));
    let of_runner = gate.clone();
    let connect = move || -> Result<D::Conn> {
        let mut conn = watched.connect()?;
        of_runner.watch(&mut conn);
        Ok(conn)
    };
    let running = Runner::new(connect).projection(users()).start()?;
    let first_is_at =
        |conn: &mut D::Conn| -> Result<Position> { Ok(status(conn)?.partitions()[0].position()) };
    eventually("it has the first", || Ok(status(&mut conn)?.partitions()[0].owner().is_some()))?;

    gate.hold_up()?;
    // Together, so that they are in one page.
    conn.transaction(|conn| -> Result {
        (0..20).try_for_each(|user| append(conn, &format!("erased-{user}"), 1).map(drop))
    })?;
    let last = EventStore::new().last_position(&mut conn)?;
    eventually("the first has read it", || Ok(first_is_at(&mut conn)? == last))?;
    remove(&mut conn, "aggregate_id LIKE 'erased-%'")?;
    projection::reset(&mut conn, (NAME, 1), clear)?;
    gate.open();
    let last = append(&mut conn, "alice", 1)?.last_position();
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    assert_eq!(applied(&mut conn)?, ["alice 1"]);
    running.failures();
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
