//! A partition belongs to one worker at a time.

use std::sync::Mutex;
use std::time::Duration;

use diesel::Connection;
use diesel::connection::InstrumentationEvent;
use diesel_event_store::Position;
use diesel_event_store::projection::{Projection, ProjectionError, ProjectionId};
use test_support::{Result, TestDatabase, count, execute, wait_for_projection};

use super::{NAME, append, application, applied, reached, runner, set, status, users};

tests! {
    what_another_worker_has_is_left_to_it,
    what_a_runner_has_is_left_to_it,
    an_expired_lease_is_taken_over,
    it_is_given_back_at_the_end_and_after_a_failure,
    a_worker_that_has_lost_its_partition_writes_nothing,
    a_worker_that_has_lost_its_partition_moves_no_checkpoint,
    every_claim_has_a_token_of_its_own,
}

/// As another worker has it, whose lease has run out long ago or lasts for years.
const OWNED_BY_ANOTHER: &str = "owner = 'another', fencing_token = fencing_token + 1, leased_until";

fn what_another_worker_has_is_left_to_it<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    users().event_types(["None"]).catch_up(&mut conn)?;
    append(&mut conn, "alice", 1)?;
    let reached_before = reached(&mut conn)?;
    set(&mut conn, &format!("{OWNED_BY_ANOTHER} = 99999999999999"))?;

    let refused = users().catch_up(&mut conn).unwrap_err();
    let ProjectionError::Owned { partition: 0, owner, .. } = &refused else { panic!("{refused:?}") };
    assert_eq!(owner, "another");
    assert!(refused.is_retryable());
    assert!(applied(&mut conn)?.is_empty());
    assert_eq!(reached(&mut conn)?, reached_before);
    assert_eq!(status(&mut conn)?.partitions()[0].owner(), Some("another"));
    Ok(())
}

fn what_a_runner_has_is_left_to_it<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let last = append(&mut conn, "alice", 1)?.last_position();
    let running = runner(&db).name("night shift").projection(users()).start()?;
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    let refused = users().catch_up(&mut conn).unwrap_err();
    let ProjectionError::Owned { owner, .. } = &refused else { panic!("{refused:?}") };
    assert!(owner.starts_with("night shift "), "{owner}");
    running.stop()?;
    assert_eq!(users().catch_up(&mut conn)?.applied(), 0);
    Ok(())
}

fn an_expired_lease_is_taken_over<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    users().catch_up(&mut conn)?;
    append(&mut conn, "alice", 2)?;
    set(&mut conn, &format!("{OWNED_BY_ANOTHER} = 1"))?;
    assert_eq!(status(&mut conn)?.partitions()[0].owner(), None);
    assert_eq!(users().catch_up(&mut conn)?.applied(), 2);
    Ok(())
}

fn it_is_given_back_at_the_end_and_after_a_failure<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let failing =
        Projection::new(NAME, 1, |_: &mut D::Conn, _| Err("never".parse::<i32>().unwrap_err().into()));
    assert!(failing.retries(0, Duration::ZERO).catch_up(&mut conn).is_err());
    assert_eq!(count(&mut conn, "projection_checkpoints WHERE owner IS NULL AND leased_until IS NULL")?, 1);
    users().catch_up(&mut conn)?;
    assert_eq!(count(&mut conn, "projection_checkpoints WHERE owner IS NULL AND leased_until IS NULL")?, 1);
    Ok(())
}

/// Another connection does this once, after the partition was taken and before anything is applied.
fn do_meanwhile<D: TestDatabase>(db: &D, conn: &mut D::Conn, sql: &'static str) -> Result {
    let other = Mutex::new(Some(db.connect()?));
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        let InstrumentationEvent::StartQuery { query, .. } = event else { return };
        if query.to_string().contains("FROM parked_events") {
            let other = other.lock().expect("nobody panics").take();
            if let Some(mut other) = other {
                execute(&mut other, sql).expect("nobody else has a lock");
            }
        }
    });
    Ok(())
}

fn a_worker_that_has_lost_its_partition_writes_nothing<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    do_meanwhile(&*db, &mut conn, "UPDATE projection_checkpoints SET fencing_token = fencing_token + 1")?;
    let users = users().lease(Duration::from_secs(7));
    let lost = users.catch_up(&mut conn).unwrap_err();
    let ProjectionError::LeaseLost { projection, partition: 0, lease, .. } = &lost else {
        panic!("{lost:?}")
    };
    assert_eq!((projection, *lease), (&ProjectionId::new(NAME, 1), Duration::from_secs(7)));
    assert!(lost.is_retryable());
    assert!(applied(&mut conn)?.is_empty());
    assert_eq!(reached(&mut conn)?, Position::START);

    set(&mut conn, "leased_until = 1")?;
    assert_eq!(users.catch_up(&mut conn)?.applied(), 2);
    Ok(())
}

fn a_worker_that_has_lost_its_partition_moves_no_checkpoint<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    do_meanwhile(&*db, &mut conn, "UPDATE projection_checkpoints SET state = 'retired'")?;
    let lost = users().catch_up(&mut conn);
    assert!(matches!(lost, Err(ProjectionError::LeaseLost { .. })), "{lost:?}");
    assert!(applied(&mut conn)?.is_empty());
    Ok(())
}

fn every_claim_has_a_token_of_its_own<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    for token in 2..=4 {
        users().catch_up(&mut conn)?;
        let rows = count(&mut conn, &format!("projection_checkpoints WHERE fencing_token = {token}"))?;
        assert_eq!(rows, 1);
    }
    Ok(())
}
