//! A log that is not the one that was applied: a backup was restored.

use diesel_event_store::projection::{self, Projection, ProjectionError, ProjectionId, ProjectionState};
use diesel_event_store::uuid::Uuid;
use diesel_event_store::{EventConnection, Position};

use super::{NAME, append, application, applied, runner, set, states, status, users};
use test_support::{Result, TestDatabase, eventually, execute};

tests! {
    a_checkpoint_beyond_the_log_is_refused,
    a_log_without_the_last_event_that_was_applied_is_refused,
    a_log_where_the_last_event_comes_later_is_refused,
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

fn a_log_without_the_last_event_that_was_applied_is_refused<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    users().catch_up(&mut conn)?;
    // In its place the restored log has other events, and more of them.
    set(&mut conn, &format!("last_event_id = '{}'", Uuid::now_v7()))?;
    append(&mut conn, "alice", 5)?;
    is_refused(&mut conn, &users())?;
    Ok(())
}

fn a_log_where_the_last_event_comes_later_is_refused<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    users().catch_up(&mut conn)?;
    let moved = append(&mut conn, "alice", 1)?.events()[0].id();
    set(&mut conn, &format!("last_event_id = '{moved}'"))?;
    is_refused(&mut conn, &users())?;
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
