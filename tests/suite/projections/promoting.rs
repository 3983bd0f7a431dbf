//! A new version of a projection takes the place of the old.

use diesel_event_store::projection::{self, Projection, ProjectionError, ProjectionId, ProjectionState};
use diesel_event_store::{EventConnection, Position};
use test_support::{Result, TestDatabase, count, execute, wait_for_projection};

use super::{NAME, append, application, applied, insert, runner};

tests! {
    the_old_version_is_retired_and_refused,
    a_version_that_is_behind_is_refused,
    a_swap_that_fails_changes_nothing,
    a_runner_of_the_old_version_applies_nothing_any_more,
    a_retired_version_stays_retired_when_it_is_repartitioned,
    a_retired_version_is_not_promoted,
    other_projections_are_left_alone,
    it_is_promoted_once_all_its_partitions_have_come_so_far,
}

fn version<C: EventConnection + 'static>(version: i32) -> Projection<C> {
    Projection::new(NAME, version, insert)
}

fn states<C: EventConnection>(conn: &mut C) -> Result<Vec<ProjectionState>, ProjectionError> {
    let all = projection::status(conn)?;
    Ok(all.iter().flat_map(|status| status.partitions()).map(projection::PartitionStatus::state).collect())
}

fn swap<C: EventConnection>(conn: &mut C) -> Result<(), ProjectionError> {
    execute(conn, "DELETE FROM applied")?;
    Ok(())
}

fn is_retired(outcome: Result<impl std::fmt::Debug, ProjectionError>) {
    match outcome {
        Err(ProjectionError::Retired { projection, .. }) => {
            assert_eq!(projection, ProjectionId::new(NAME, 1))
        }
        other => panic!("{other:?}"),
    }
}

fn the_old_version_is_retired_and_refused<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    version(1).catch_up(&mut conn)?;
    version(2).catch_up(&mut conn)?;
    projection::promote(&mut conn, (NAME, 2), swap)?;
    assert!(applied(&mut conn)?.is_empty());
    assert_eq!(states(&mut conn)?, [ProjectionState::Retired, ProjectionState::Idle]);
    assert!(projection::status(&mut conn)?[0].is_healthy());

    append(&mut conn, "alice", 1)?;
    is_retired(version(1).catch_up(&mut conn));
    assert_eq!(version(2).catch_up(&mut conn)?.applied(), 1);
    assert_eq!(applied(&mut conn)?, ["alice 3"]);
    Ok(())
}

fn a_version_that_is_behind_is_refused<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    version(2).catch_up(&mut conn)?;
    let last = append(&mut conn, "alice", 2)?.last_position();
    version(1).catch_up(&mut conn)?;
    let refused = projection::promote(&mut conn, (NAME, 2), swap).unwrap_err();
    let ProjectionError::Behind { projection, reached, wanted, .. } = &refused else { panic!("{refused:?}") };
    assert_eq!((projection, *reached), (&ProjectionId::new(NAME, 2), Position::START));
    assert!(*wanted >= last && refused.is_retryable());
    assert_eq!(applied(&mut conn)?.len(), 2);
    assert_eq!(states(&mut conn)?, [ProjectionState::Idle; 2]);

    version(2).catch_up(&mut conn)?;
    projection::promote(&mut conn, (NAME, 2), swap)?;
    Ok(())
}

fn a_swap_that_fails_changes_nothing<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    version(1).catch_up(&mut conn)?;
    version(2).catch_up(&mut conn)?;
    let refused = projection::promote(&mut conn, (NAME, 2), |conn| -> Result {
        swap(conn)?;
        Err("not today".into())
    });
    assert_eq!(refused.unwrap_err().to_string(), "not today");
    assert_eq!(applied(&mut conn)?.len(), 2);
    assert_eq!(states(&mut conn)?, [ProjectionState::Idle; 2]);
    assert_eq!(version(1).catch_up(&mut conn)?.applied(), 0);
    Ok(())
}

fn a_runner_of_the_old_version_applies_nothing_any_more<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let last = append(&mut conn, "alice", 1)?.last_position();
    let old = runner(&db).projection(version(1)).start()?;
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    version(2).catch_up(&mut conn)?;
    projection::promote(&mut conn, (NAME, 2), swap)?;
    let started_later = runner(&db).projection(version(1)).start()?;

    let new = runner(&db).projection(version(2)).start()?;
    let last = append(&mut conn, "alice", 1)?.last_position();
    wait_for_projection(&mut conn, (NAME, 2), last)?;
    drop((old, started_later));
    new.stop()?;
    assert_eq!(applied(&mut conn)?, ["alice 2"]);
    assert_eq!(count(&mut conn, "projection_checkpoints WHERE state = 'retired' AND owner IS NULL")?, 1);
    Ok(())
}

fn a_retired_version_stays_retired_when_it_is_repartitioned<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    version(1).catch_up(&mut conn)?;
    version(2).catch_up(&mut conn)?;
    projection::repartition(&mut conn, (NAME, 1), 2)?;
    projection::promote(&mut conn, (NAME, 2), swap)?;
    is_retired(version(1).catch_up(&mut conn));
    is_retired(projection::repartition(&mut conn, (NAME, 1), 3));
    is_retired(version(1).catch_up(&mut conn));
    assert_eq!(states(&mut conn)?, [ProjectionState::Retired, ProjectionState::Idle]);
    Ok(())
}

fn a_retired_version_is_not_promoted<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    version(1).catch_up(&mut conn)?;
    version(2).catch_up(&mut conn)?;
    projection::promote(&mut conn, (NAME, 2), |_| Ok::<_, ProjectionError>(()))?;
    is_retired(projection::promote(&mut conn, (NAME, 1), swap));
    assert_eq!(applied(&mut conn)?.len(), 2);
    Ok(())
}

fn other_projections_are_left_alone<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let other = Projection::new("orders", 1, insert);
    other.catch_up(&mut conn)?;
    version(1).catch_up(&mut conn)?;
    version(3).catch_up(&mut conn)?;
    version(2).catch_up(&mut conn)?;
    projection::promote(&mut conn, (NAME, 2), swap)?;
    append(&mut conn, "alice", 1)?;
    assert_eq!(other.catch_up(&mut conn)?.applied(), 1);
    assert_eq!(version(3).catch_up(&mut conn)?.applied(), 1);
    is_retired(version(1).catch_up(&mut conn));
    Ok(())
}

fn it_is_promoted_once_all_its_partitions_have_come_so_far<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 3)?;
    version(1).catch_up(&mut conn)?;
    version(2).partitions(2).catch_up(&mut conn)?;
    let behind = "UPDATE projection_checkpoints SET last_global_position = 0 \
                  WHERE projection_version = 2 AND partition_number = 1";
    execute(&mut conn, behind)?;
    let refused = projection::promote(&mut conn, (NAME, 2), swap);
    assert!(matches!(refused, Err(ProjectionError::Behind { .. })), "{refused:?}");
    Ok(())
}
