//! A log that is not the one that was applied, because a backup was restored, and one that still is.

use std::time::Duration;

use diesel_event_store::projection::{
    self, OnFailure, Projection, ProjectionError, ProjectionId, ProjectionState,
};
use diesel_event_store::uuid::Uuid;
use diesel_event_store::{EventConnection, EventStore, ExpectedVersion, Position, StreamId};
use test_support::{Result, TestDatabase, counted, eventually, execute};

use super::super::housekeeping::{remove, restore};
use super::{Fault, NAME, Script, append, application, applied, insert, runner, set, states, status, users};

tests! {
    a_checkpoint_beyond_the_log_is_refused,
    a_log_with_another_event_where_the_last_one_was_applied_is_refused,
    a_restored_log_that_has_gone_on_is_refused,
    a_restored_log_that_has_not_gone_on_is_refused,
    what_was_erased_is_not_missed,
    what_was_archived_is_not_missed,
    what_was_rewound_is_applied_again,
    a_restored_log_is_accepted_once_the_checkpoint_is_rewound,
    what_is_rewound_is_parked_no_more,
    a_checkpoint_that_was_saved_by_hand_is_no_sign_of_another_log,
    without_its_checkpoint_a_projection_begins_anew,
    after_a_reset_the_read_model_is_built_anew,
    a_runner_stops_and_says_so,
    gaps_are_no_sign_of_another_log,
}

fn is_refused<C: EventConnection>(conn: &mut C, users: &Projection<C>) -> Result<(Position, Position)> {
    let rows = applied(conn)?;
    let refused = users.catch_up(conn).unwrap_err();
    let ProjectionError::OtherLog { projection, checkpoint, last, .. } = &refused else {
        return Err(refused.into());
    };
    assert_eq!(projection, &ProjectionId::new(NAME, 1));
    assert!(refused.to_string().contains("was a backup restored?"), "{refused}");
    assert!(!refused.is_retryable());
    assert_eq!(applied(conn)?, rows);
    Ok((*checkpoint, *last))
}

fn a_checkpoint_beyond_the_log_is_refused<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    users().catch_up(&mut conn)?;
    let last = append(&mut conn, "alice", 1)?.last_position();
    set(&mut conn, "last_global_position = 1000000")?;
    assert_eq!(is_refused(&mut conn, &users())?, (Position::new(1_000_000)?, last));
    Ok(())
}

fn a_log_with_another_event_where_the_last_one_was_applied_is_refused<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    users().catch_up(&mut conn)?;
    // In its place the restored log has other events, and more of them.
    set(&mut conn, &format!("last_event_id = '{}'", Uuid::now_v7()))?;
    append(&mut conn, "alice", 5)?;
    is_refused(&mut conn, &users())?;
    Ok(())
}

/// The log goes on from the backup, and by the time that a worker looks it is as long as it was.
fn a_restored_log_that_has_gone_on_is_refused<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let backup = append(&mut conn, "alice", 2)?.last_position();
    append(&mut conn, "alice", 2)?;
    users().catch_up(&mut conn)?;
    restore(&mut conn, backup)?;
    append(&mut conn, "bob", 5)?;
    is_refused(&mut conn, &users())?;
    Ok(())
}

fn a_restored_log_that_has_not_gone_on_is_refused<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let backup = append(&mut conn, "alice", 2)?.last_position();
    let checkpoint = append(&mut conn, "alice", 2)?.last_position();
    for users in [users(), users().partitions(3)] {
        users.catch_up(&mut conn)?;
    }
    restore(&mut conn, backup)?;
    assert_eq!(is_refused(&mut conn, &users())?, (checkpoint, backup));
    Ok(())
}

/// A stream is erased for good, with the event that was applied last.
fn what_was_erased_is_not_missed<D: TestDatabase>() -> Result {
    for partitions in [1, 4] {
        let (_db, mut conn) = application::<D>()?;
        append(&mut conn, "alice", 2)?;
        append(&mut conn, "bob", 2)?;
        users().partitions(partitions).catch_up(&mut conn)?;
        remove(&mut conn, "aggregate_id = 'bob'")?;
        assert_eq!(users().catch_up(&mut conn)?.applied(), 0);
        append(&mut conn, "alice", 1)?;
        assert_eq!(users().catch_up(&mut conn)?.applied(), 1);
    }
    Ok(())
}

/// Old events are archived, among them the last one that a projection of rare events has applied, or all of
/// them.
fn what_was_archived_is_not_missed<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let rare = || Projection::new("rare", 1, insert).aggregate_types(["Rare"]);
    let one = StreamId::new("Rare", "one")?;
    EventStore::new().append(&mut conn, &one, ExpectedVersion::Any, &counted(1)?)?;
    let last = append(&mut conn, "alice", 10)?.last_position();
    rare().catch_up(&mut conn)?;
    remove(&mut conn, &format!("global_position < {last}"))?;
    assert_eq!(rare().catch_up(&mut conn)?.applied(), 0);
    remove(&mut conn, "global_position > 0")?;
    assert_eq!(rare().catch_up(&mut conn)?.applied(), 0);
    EventStore::new().append(&mut conn, &one, ExpectedVersion::Any, &counted(1)?)?;
    assert_eq!(rare().catch_up(&mut conn)?.applied(), 1);
    assert_eq!(applied(&mut conn)?, ["one 1", "one 2"]);
    Ok(())
}

fn what_was_rewound_is_applied_again<D: TestDatabase>() -> Result {
    for partitions in [1, 4] {
        let (_db, mut conn) = application::<D>()?;
        let users = users().partitions(partitions);
        let middle = append(&mut conn, "alice", 2)?.last_position();
        append(&mut conn, "alice", 2)?;
        append(&mut conn, "bob", 1)?;
        users.catch_up(&mut conn)?;
        EventStore::new().rewind_checkpoint(&mut conn, NAME, middle)?;
        assert_eq!(users.catch_up(&mut conn)?.applied(), 3);
        assert_eq!(users.catch_up(&mut conn)?.applied(), 0);
    }
    Ok(())
}

/// Whoever restores a backup can also say where the read model is to go on.
fn a_restored_log_is_accepted_once_the_checkpoint_is_rewound<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let backup = append(&mut conn, "alice", 2)?.last_position();
    append(&mut conn, "alice", 2)?;
    users().catch_up(&mut conn)?;
    restore(&mut conn, backup)?;
    append(&mut conn, "bob", 5)?;
    is_refused(&mut conn, &users())?;
    EventStore::new().rewind_checkpoint(&mut conn, NAME, backup)?;
    assert_eq!(users().catch_up(&mut conn)?.applied(), 5);
    Ok(())
}

/// What was parked above the position will be applied again, and may fail again.
fn what_is_rewound_is_parked_no_more<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 3)?;
    let script = Script::with([("alice 1", Fault::Fails), ("alice 2", Fault::Fails)]);
    let users = script.projection().retries(0, Duration::ZERO).on_failure(OnFailure::ParkAlone);
    users.catch_up(&mut conn)?;
    let parked = projection::parked(&mut conn, (NAME, 1))?;
    EventStore::new().rewind_checkpoint(&mut conn, NAME, parked[0].position())?;
    assert_eq!(projection::parked(&mut conn, (NAME, 1))?.len(), 1);
    users.catch_up(&mut conn)?;
    assert_eq!(projection::parked(&mut conn, (NAME, 1))?.len(), 2);
    assert_eq!(applied(&mut conn)?, ["alice 3", "alice 3"]);
    Ok(())
}

fn a_checkpoint_that_was_saved_by_hand_is_no_sign_of_another_log<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    users().catch_up(&mut conn)?;
    let last = append(&mut conn, "alice", 2)?.last_position();
    EventStore::new().save_checkpoint(&mut conn, NAME, last)?;
    append(&mut conn, "alice", 1)?;
    assert_eq!(users().catch_up(&mut conn)?.applied(), 1);
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 5"]);
    Ok(())
}

/// With all its partitions, and what is parked: a part of it would never be applied again.
fn without_its_checkpoint_a_projection_begins_anew<D: TestDatabase>() -> Result {
    for partitions in [1, 4] {
        let (_db, mut conn) = application::<D>()?;
        append(&mut conn, "alice", 2)?;
        append(&mut conn, "bob", 2)?;
        let script = Script::with([("bob 1", Fault::Fails)]);
        let users = || {
            let users = script.projection().retries(0, Duration::ZERO).partitions(partitions);
            users.on_failure(OnFailure::Park)
        };
        users().catch_up(&mut conn)?;
        assert!(EventStore::new().delete_checkpoint(&mut conn, NAME)?);
        assert!(!EventStore::new().delete_checkpoint(&mut conn, NAME)?);
        users().catch_up(&mut conn)?;
        assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 1", "alice 2"]);
        assert_eq!(status(&mut conn)?.partitions().len(), usize::try_from(partitions)?);
    }
    Ok(())
}

fn after_a_reset_the_read_model_is_built_anew<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    users().catch_up(&mut conn)?;
    set(&mut conn, "last_global_position = 1000000")?;
    set(&mut conn, &format!("last_event_id = '{}'", Uuid::now_v7()))?;
    is_refused(&mut conn, &users())?;
    projection::reset(&mut conn, (NAME, 1), |conn| {
        execute(conn, "DELETE FROM applied")?;
        Ok::<_, ProjectionError>(())
    })?;
    assert_eq!(users().catch_up(&mut conn)?.applied(), 2);
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2"]);
    Ok(())
}

fn a_runner_stops_and_says_so<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    users().catch_up(&mut conn)?;
    set(&mut conn, "last_global_position = 1000000")?;
    set(&mut conn, "last_event_id = NULL")?;
    let running = runner(&db).projection(users()).start()?;
    eventually("it has failed", || Ok(states(&mut conn)? == [ProjectionState::Failed]))?;
    let stopped = running.stop();
    assert!(matches!(stopped, Err(ProjectionError::OtherLog { .. })), "{stopped:?}");
    let failed = status(&mut conn)?;
    assert!(failed.partitions()[0].last_error().is_some_and(|error| error.contains("backup")));
    assert_eq!(applied(&mut conn)?.len(), 2);
    Ok(())
}

/// Positions of appends that were rolled back, and of what is filtered out, are not events that are missing.
fn gaps_are_no_sign_of_another_log<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    users().catch_up(&mut conn)?;
    for _ in 0..3 {
        let _: Result = diesel::Connection::transaction(&mut conn, |conn| {
            append(conn, "alice", 1)?;
            Err(diesel::result::Error::RollbackTransaction.into())
        });
        users().event_types(["None"]).catch_up(&mut conn)?;
    }
    append(&mut conn, "alice", 1)?;
    assert_eq!(users().catch_up(&mut conn)?.applied(), 1);
    Ok(())
}
