//! What an operator sees and does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::Connection;
use diesel_event_store::projection::{
    self, OnFailure, ParkedEvent, PartitionStatus, Projection, ProjectionError, ProjectionId,
    ProjectionState, Runner, StartFrom,
};
use diesel_event_store::{EventConnection, EventStore, NewEvent, Position};
use test_support::{Result, TestDatabase, eventually, execute, user, wait_for_projection};

use super::{
    Fault, NAME, Script, append, application, applied, insert, reached, runner, set, states, status, users,
};

tests! {
    a_reset_applies_everything_again,
    a_reset_that_cannot_clear_the_read_model_changes_nothing,
    a_panic_of_the_application_leaves_no_transaction_open,
    a_panic_inside_a_transaction_leaves_that_one_open,
    a_reset_forgets_what_is_parked_and_what_has_failed,
    a_reset_is_part_of_the_applications_transaction,
    a_reset_leaves_other_projections_alone,
    a_runner_begins_anew_after_a_reset,
    every_partition_is_put_anywhere_in_the_log,
    what_is_parked_below_stays_parked,
    nothing_is_put_beyond_the_log,
    resume_lets_only_failed_partitions_go_on,
    status_tells_how_far_behind_it_is,
    status_of_a_projection_that_nobody_runs_is_not_healthy,
    status_knows_every_state,
    status_of_no_projection_is_empty,
    a_retired_version_is_neither_behind_nor_sick,
    a_checkpoint_of_the_applications_own_is_not_sick,
    a_projection_that_no_worker_could_take_yet_is_not_healthy,
}

fn clear<C: EventConnection>(conn: &mut C) -> Result<(), ProjectionError> {
    execute(conn, "DELETE FROM applied")?;
    Ok(())
}

fn a_reset_applies_everything_again<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 3)?;
    users().catch_up(&mut conn)?;
    projection::reset(&mut conn, (NAME, 1), clear)?;
    assert_eq!(reached(&mut conn)?, Position::START);
    assert!(applied(&mut conn)?.is_empty());
    assert_eq!(users().catch_up(&mut conn)?.applied(), 3);
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 3"]);
    Ok(())
}

fn a_reset_that_cannot_clear_the_read_model_changes_nothing<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    users().catch_up(&mut conn)?;
    let before = reached(&mut conn)?;
    let refused = projection::reset(&mut conn, (NAME, 1), |conn| -> Result {
        clear(conn)?;
        Err("not today".into())
    });
    assert_eq!(refused.unwrap_err().to_string(), "not today");
    assert_eq!(reached(&mut conn)?, before);
    assert_eq!(applied(&mut conn)?.len(), 2);
    assert_eq!(users().catch_up(&mut conn)?.applied(), 0);
    Ok(())
}

/// Everything that has the application do its part in a transaction of the library.
fn panicking<C: EventConnection + 'static>(conn: &mut C, what: &str) -> Result {
    let panics = |conn: &mut C| -> Result {
        clear(conn)?;
        panic!("on purpose");
    };
    let panicked = catch_unwind(AssertUnwindSafe(|| match what {
        "reset" => projection::reset(conn, (NAME, 1), panics),
        "reset_to" => projection::reset_to(conn, (NAME, 1), StartFrom::Now, panics),
        "promote" => projection::promote(conn, (NAME, 1), panics),
        other => panic!("{other}?"),
    }));
    assert!(panicked.is_err(), "{what}");
    Ok(())
}

fn a_panic_of_the_application_leaves_no_transaction_open<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    users().catch_up(&mut conn)?;
    let (before, mut other) = (reached(&mut conn)?, db.connect()?);
    for what in ["reset", "reset_to", "promote"] {
        panicking(&mut conn, what)?;
        assert_eq!(applied(&mut conn)?.len(), 2, "{what}");
        append(&mut conn, what, 1)?;
        assert_eq!(EventStore::new().version(&mut other, &user(what)?)?, 1, "{what}");
        append(&mut other, what, 1)?;
    }
    assert_eq!(reached(&mut other)?, before);
    Ok(())
}

fn a_panic_inside_a_transaction_leaves_that_one_open<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    users().catch_up(&mut conn)?;
    conn.transaction(|conn| -> Result {
        append(conn, "bob", 1)?;
        panicking(conn, "reset")?;
        append(conn, "carol", 1)?;
        Ok(())
    })?;
    let mut other = db.connect()?;
    assert_eq!(applied(&mut other)?.len(), 2);
    for name in ["bob", "carol"] {
        assert_eq!(EventStore::new().version(&mut other, &user(name)?)?, 1, "{name}");
    }
    Ok(())
}

fn a_reset_forgets_what_is_parked_and_what_has_failed<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 3)?;
    let script = Script::with([("alice 2", Fault::Fails)]);
    let parking = script.projection().retries(0, Duration::ZERO).on_failure(OnFailure::Park);
    parking.catch_up(&mut conn)?;
    set(&mut conn, "state = 'failed', last_error = 'by hand'")?;
    projection::reset(&mut conn, (NAME, 1), clear)?;
    assert!(projection::parked(&mut conn, (NAME, 1))?.is_empty());
    assert_eq!(status(&mut conn)?.partitions()[0].last_error(), None);
    script.mend();
    parking.catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 3"]);
    Ok(())
}

fn a_reset_is_part_of_the_applications_transaction<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    users().catch_up(&mut conn)?;
    let rolled_back: Result = diesel::Connection::transaction(&mut conn, |conn| {
        projection::reset(conn, (NAME, 1), clear)?;
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    assert_eq!(users().catch_up(&mut conn)?.applied(), 0);
    assert_eq!(applied(&mut conn)?.len(), 2);
    Ok(())
}

fn a_reset_leaves_other_projections_alone<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let others = [("orders", 1), (NAME, 2)].map(|(name, version)| Projection::new(name, version, insert));
    users().catch_up(&mut conn)?;
    for other in &others {
        other.catch_up(&mut conn)?;
    }
    projection::reset(&mut conn, (NAME, 1), clear)?;
    for other in &others {
        assert_eq!(other.catch_up(&mut conn)?.applied(), 0);
    }
    assert_eq!(users().catch_up(&mut conn)?.applied(), 2);
    Ok(())
}

fn a_runner_begins_anew_after_a_reset<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let last = append(&mut conn, "alice", 3)?.last_position();
    let running = runner(&db).projection(users()).start()?;
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    projection::reset(&mut conn, (NAME, 1), clear)?;
    append(&mut conn, "alice", 1)?;
    eventually("all are applied again", || Ok(applied(&mut conn)?.len() == 4))?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 3", "alice 4"]);
    // It may have noticed in the middle of something, and says so.
    let failures = running.failures();
    assert!(
        failures.iter().all(|failure| matches!(failure, ProjectionError::LeaseLost { .. })),
        "{failures:?}"
    );
    Ok(running.stop()?)
}

/// Of a version above the first, too.
fn every_partition_is_put_anywhere_in_the_log<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let third = append(&mut conn, "alice", 3)?.last_position();
    append(&mut conn, "bob", 3)?;
    let version_2 = Projection::new(NAME, 2, insert).partitions(4);
    version_2.catch_up(&mut conn)?;

    projection::reset_to(&mut conn, (NAME, 2), StartFrom::Position(third), clear)?;
    assert_eq!(version_2.catch_up(&mut conn)?.applied(), 3);
    let mut names = applied(&mut conn)?;
    names.sort();
    assert_eq!(names, ["bob 1", "bob 2", "bob 3"]);

    append(&mut conn, "alice", 1)?;
    projection::reset_to(&mut conn, (NAME, 2), StartFrom::Now, |_| Ok::<_, ProjectionError>(()))?;
    append(&mut conn, "alice", 1)?;
    assert_eq!(version_2.catch_up(&mut conn)?.applied(), 1);
    assert_eq!(applied(&mut conn)?.last().map(String::as_str), Some("alice 5"));
    Ok(())
}

fn what_is_parked_below_stays_parked<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let first = append(&mut conn, "alice", 1)?.last_position();
    append(&mut conn, "bob", 1)?;
    let script = Script::with([("alice 1", Fault::Fails), ("bob 1", Fault::Fails)]);
    let parking = script.projection().retries(0, Duration::ZERO).on_failure(OnFailure::Park);
    parking.catch_up(&mut conn)?;
    projection::reset_to(&mut conn, (NAME, 1), StartFrom::Position(first), clear)?;
    let parked = projection::parked(&mut conn, (NAME, 1))?;
    assert_eq!(parked.iter().map(ParkedEvent::position).collect::<Vec<_>>(), [first]);
    script.mend();
    parking.catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["bob 1"]);
    Ok(())
}

fn nothing_is_put_beyond_the_log<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    users().catch_up(&mut conn)?;
    let before = reached(&mut conn)?;
    let beyond = StartFrom::Position(Position::new(1_000_000)?);
    match projection::reset_to(&mut conn, (NAME, 1), beyond, clear) {
        Err(ProjectionError::Invalid(invalid)) => assert_eq!(invalid.field(), "start_from"),
        other => panic!("{other:?}"),
    }
    let unknown = projection::reset_to(&mut conn, (NAME, 7), StartFrom::Now, clear);
    assert!(matches!(unknown, Err(ProjectionError::Unknown { .. })), "{unknown:?}");
    assert_eq!((reached(&mut conn)?, applied(&mut conn)?.len()), (before, 2));
    Ok(())
}

fn resume_lets_only_failed_partitions_go_on<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    users::<D::Conn>().partitions(3).catch_up(&mut conn)?;
    assert_eq!(projection::resume(&mut conn, (NAME, 1))?, 0);
    let failed = "UPDATE projection_checkpoints SET state = 'failed' WHERE partition_number < 2";
    execute(&mut conn, failed)?;
    assert!(matches!(users().catch_up(&mut conn), Err(ProjectionError::HasFailed { partition: 0, .. })));
    assert_eq!(projection::resume(&mut conn, (NAME, 1))?, 2);
    users().catch_up(&mut conn)?;
    Ok(())
}

fn status_tells_how_far_behind_it_is<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    users::<D::Conn>().catch_up(&mut conn)?;
    let empty = status(&mut conn)?;
    assert_eq!((empty.projection(), empty.positions_behind()), (&ProjectionId::new(NAME, 1), 0));
    assert_eq!((empty.lag(), empty.fraction()), (Duration::ZERO, 1.0));

    let hour_ago = diesel_event_store::chrono::Utc::now() - Duration::from_secs(3600);
    let old = [NewEvent::new("Old", &())?.created_at(hour_ago)];
    let stream = test_support::user("alice")?;
    diesel_event_store::EventStore::new().append(
        &mut conn,
        &stream,
        diesel_event_store::ExpectedVersion::Any,
        &old,
    )?;
    let last = append(&mut conn, "alice", 1)?.last_position();
    let behind = status(&mut conn)?;
    assert_eq!((behind.position(), behind.last_position()), (Position::START, last));
    assert!(behind.positions_behind() >= 2);
    assert_eq!(behind.fraction(), 0.0);
    assert!(behind.lag() >= Duration::from_secs(3600), "{:?}", behind.lag());

    users().catch_up(&mut conn)?;
    let caught_up = status(&mut conn)?;
    assert_eq!((caught_up.positions_behind(), caught_up.lag()), (0, Duration::ZERO));
    assert_eq!(caught_up.fraction(), 1.0);
    Ok(())
}

fn status_of_a_projection_that_nobody_runs_is_not_healthy<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    users().catch_up(&mut conn)?;
    let idle = status(&mut conn)?;
    assert_eq!(states(&mut conn)?, [ProjectionState::Idle]);
    assert!(!idle.is_healthy());

    let running = runner(&db).name("day shift").projection(users()).start()?;
    eventually("it is run", || Ok(status(&mut conn)?.is_healthy()))?;
    let healthy = status(&mut conn)?;
    assert_eq!(states(&mut conn)?, [ProjectionState::Running]);
    assert!(healthy.partitions()[0].owner().is_some_and(|owner| owner.starts_with("day shift ")));
    running.stop()?;
    let stopped = status(&mut conn)?;
    assert_eq!((states(&mut conn)?, stopped.is_healthy()), (vec![ProjectionState::Idle], false));
    Ok(())
}

fn status_knows_every_state<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    users().partitions(4).catch_up(&mut conn)?;
    for (number, columns) in [
        "state = 'failed', last_error = 'by hand'",
        "state = 'retired'",
        "owner = 'somebody', leased_until = 99999999999999",
    ]
    .iter()
    .enumerate()
    {
        let sql = format!("UPDATE projection_checkpoints SET {columns} WHERE partition_number = {number}");
        execute(&mut conn, &sql)?;
    }
    let all = status(&mut conn)?;
    let expected =
        [ProjectionState::Failed, ProjectionState::Retired, ProjectionState::Running, ProjectionState::Idle];
    assert_eq!(states(&mut conn)?, expected);
    let numbers: Vec<_> = all.partitions().iter().map(PartitionStatus::number).collect();
    assert_eq!(numbers, [0, 1, 2, 3]);
    assert_eq!(all.partitions()[0].last_error(), Some("by hand"));
    assert_eq!(all.partitions()[2].owner(), Some("somebody"));
    Ok(())
}

fn status_of_no_projection_is_empty<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    assert!(projection::status(&mut conn)?.is_empty());
    Ok(())
}

fn a_retired_version_is_neither_behind_nor_sick<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let versions = [1, 2].map(|version| Projection::new(NAME, version, insert));
    for version in &versions {
        version.catch_up(&mut conn)?;
    }
    projection::promote(&mut conn, (NAME, 2), |_| Ok::<_, ProjectionError>(()))?;
    append(&mut conn, "alice", 50)?;
    let all = projection::status(&mut conn)?;
    let (old, new) = (&all[0], &all[1]);
    assert_eq!((old.positions_behind(), old.lag(), old.fraction()), (0, Duration::ZERO, 1.0));
    assert_eq!(old.time_left(old), Some(Duration::ZERO));
    assert!(old.is_healthy());
    assert_eq!(new.positions_behind(), 50);
    Ok(())
}

fn a_checkpoint_of_the_applications_own_is_not_sick<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let last = append(&mut conn, "alice", 2)?.last_position();
    let store = diesel_event_store::EventStore::new();
    store.save_checkpoint(&mut conn, NAME, last)?;
    let own = status(&mut conn)?;
    assert_eq!((states(&mut conn)?, own.positions_behind()), (vec![ProjectionState::Manual], 0));
    assert!(own.is_healthy());

    // From when a runner has it, it needs one.
    let running = runner(&db).projection(users()).start()?;
    eventually("it is run", || Ok(states(&mut conn)? == [ProjectionState::Running]))?;
    running.stop()?;
    assert!(!status(&mut conn)?.is_healthy());
    Ok(())
}

/// Which must not look like a checkpoint of the application's own.
fn a_projection_that_no_worker_could_take_yet_is_not_healthy<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let connects = AtomicUsize::new(0);
    let running = Runner::new(move || match connects.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => db.connect(),
        _ => Err("the cable is cut".into()),
    })
    .projection(users())
    .start()?;
    assert_eq!(states(&mut conn)?, [ProjectionState::Idle]);
    assert!(!status(&mut conn)?.is_healthy());
    drop(running);
    Ok(())
}
