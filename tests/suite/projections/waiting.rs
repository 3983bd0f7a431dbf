//! To read one's own writes: waiting until a projection has come to a position.

use std::time::Duration;

use diesel_event_store::Position;
use diesel_event_store::projection::{Projection, ProjectionError, has_reached, promote, wait_for};
use test_support::{LONG, Result, TestDatabase};

use super::{NAME, append, application, applied, insert, runner, set, users};

tests! {
    what_is_reached_is_not_waited_for,
    one_reads_ones_own_writes,
    it_gives_up_in_the_end,
    a_projection_that_was_never_run_is_not_waited_for,
    whether_it_has_reached_a_position_is_answered_at_once,
    all_partitions_are_waited_for,
    a_projection_that_has_failed_is_not_waited_for,
    a_retired_version_is_not_waited_for,
}

const BRIEFLY: Duration = Duration::from_millis(20);

fn what_is_reached_is_not_waited_for<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let last = append(&mut conn, "alice", 2)?.last_position();
    users().catch_up(&mut conn)?;
    wait_for(&mut conn, (NAME, 1), last, Duration::ZERO)?;
    wait_for(&mut conn, (NAME, 1), Position::START, Duration::ZERO)?;
    Ok(())
}

fn one_reads_ones_own_writes<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let running = runner(&db).projection(users()).start()?;
    for version in 1..=5 {
        let last = append(&mut conn, "alice", 1)?.last_position();
        wait_for(&mut conn, (NAME, 1), last, LONG)?;
        assert_eq!(applied(&mut conn)?.len(), version);
    }
    Ok(running.stop()?)
}

fn it_gives_up_in_the_end<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    users().catch_up(&mut conn)?;
    let last = append(&mut conn, "alice", 1)?.last_position();
    let late = wait_for(&mut conn, (NAME, 1), last, BRIEFLY).unwrap_err();
    let ProjectionError::TimedOut { reached, wanted, waited, .. } = &late else { panic!("{late:?}") };
    assert_eq!((*reached, *wanted), (Position::START, last));
    assert!(*waited >= BRIEFLY && late.is_retryable());
    Ok(())
}

fn a_projection_that_was_never_run_is_not_waited_for<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    users().catch_up(&mut conn)?;
    for id in [("other", 1), (NAME, 2)] {
        let unknown = wait_for(&mut conn, id, Position::START, Duration::MAX);
        let Err(ProjectionError::Unknown { projection, .. }) = unknown else { panic!("{unknown:?}") };
        assert_eq!((projection.name(), projection.version()), id);
        let unknown = has_reached(&mut conn, id, Position::START);
        assert!(matches!(unknown, Err(ProjectionError::Unknown { .. })), "{unknown:?}");
    }
    Ok(())
}

fn whether_it_has_reached_a_position_is_answered_at_once<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    users().partitions(3).catch_up(&mut conn)?;
    let last = append(&mut conn, "alice", 1)?.last_position();
    assert!(!has_reached(&mut conn, (NAME, 1), last)?);
    users().catch_up(&mut conn)?;
    assert!(has_reached(&mut conn, (NAME, 1), last)?);
    set(&mut conn, &format!("last_global_position = CASE partition_number WHEN 2 THEN 0 ELSE {last} END"))?;
    assert!(!has_reached(&mut conn, (NAME, 1), last)?);
    set(&mut conn, "state = 'failed', last_error = 'by hand'")?;
    assert!(!has_reached(&mut conn, (NAME, 1), last)?);
    assert!(has_reached(&mut conn, (NAME, 1), Position::START)?);
    Ok(())
}

fn all_partitions_are_waited_for<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    users().partitions(3).catch_up(&mut conn)?;
    let last = append(&mut conn, "alice", 1)?.last_position();
    set(&mut conn, &format!("last_global_position = CASE partition_number WHEN 2 THEN 0 ELSE {last} END"))?;
    let late = wait_for(&mut conn, (NAME, 1), last, BRIEFLY);
    assert!(matches!(late, Err(ProjectionError::TimedOut { .. })), "{late:?}");
    set(&mut conn, &format!("last_global_position = {last}"))?;
    Ok(wait_for(&mut conn, (NAME, 1), last, Duration::ZERO)?)
}

fn a_projection_that_has_failed_is_not_waited_for<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    users().catch_up(&mut conn)?;
    let last = append(&mut conn, "alice", 1)?.last_position();
    set(&mut conn, "state = 'failed', last_error = 'by hand'")?;
    match wait_for(&mut conn, (NAME, 1), last, LONG) {
        Err(ProjectionError::HasFailed { error, .. }) => assert_eq!(error, "by hand"),
        other => panic!("{other:?}"),
    }
    Ok(wait_for(&mut conn, (NAME, 1), Position::START, LONG)?)
}

fn a_retired_version_is_not_waited_for<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    users().catch_up(&mut conn)?;
    Projection::new(NAME, 2, insert).catch_up(&mut conn)?;
    promote(&mut conn, (NAME, 2), |_| Ok::<_, ProjectionError>(()))?;
    let last = append(&mut conn, "alice", 1)?.last_position();
    let refused = wait_for(&mut conn, (NAME, 1), last, LONG);
    assert!(matches!(refused, Err(ProjectionError::Retired { .. })), "{refused:?}");
    Ok(())
}
