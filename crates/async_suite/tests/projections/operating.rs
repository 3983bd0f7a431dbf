//! A read model that is emptied or replaced, in the transaction in which the projection is.

use async_suite::{BoxError, RUNTIME};
use diesel_async::{AsyncConnection, AsyncPgConnection, TransactionManager};
use real::projection::{
    AsyncProjection, PartitionStatus, Projection, ProjectionError, ProjectionState, async_promote,
    async_reset, async_status,
};
use real::{AsyncEventConnection, Position};
use support::{Postgres, Result};

use super::database::{Database, on_each_database};
use super::read_model::{NAME, append, application, applied, insert, reached, run, users};

on_each_database! {
    a_reset_applies_everything_again:
        a_reset_applies_everything_again_postgres, a_reset_applies_everything_again_mysql;
    a_reset_that_cannot_clear_the_read_model_changes_nothing:
        a_reset_that_cannot_clear_the_read_model_changes_nothing_postgres,
        a_reset_that_cannot_clear_the_read_model_changes_nothing_mysql;
    a_reset_is_part_of_the_applications_transaction:
        a_reset_is_part_of_the_applications_transaction_postgres,
        a_reset_is_part_of_the_applications_transaction_mysql;
    what_was_never_run_is_unknown:
        what_was_never_run_is_unknown_postgres, what_was_never_run_is_unknown_mysql;
    a_promoted_version_takes_the_place_of_the_old:
        a_promoted_version_takes_the_place_of_the_old_postgres,
        a_promoted_version_takes_the_place_of_the_old_mysql;
    a_version_that_is_behind_is_not_promoted:
        a_version_that_is_behind_is_not_promoted_postgres, a_version_that_is_behind_is_not_promoted_mysql;
    a_swap_that_fails_changes_nothing:
        a_swap_that_fails_changes_nothing_postgres, a_swap_that_fails_changes_nothing_mysql;
}

async fn clear<C: AsyncEventConnection>(conn: &mut C) -> Result<(), ProjectionError> {
    run(conn, "DELETE FROM applied").await?;
    Ok(())
}

async fn fail<C: AsyncEventConnection>(conn: &mut C) -> Result<(), BoxError> {
    clear(conn).await?;
    Err("not today".into())
}

fn version<D: Database>(version: i32) -> AsyncProjection<D::Awaited> {
    Projection::awaited(NAME, version, insert::<D::Awaited>)
}

fn states<C: AsyncEventConnection>(conn: &mut C) -> Result<Vec<ProjectionState>> {
    let all = RUNTIME.block_on(async_status(conn))?;
    Ok(all.iter().flat_map(|status| status.partitions()).map(PartitionStatus::state).collect())
}

fn a_reset_applies_everything_again<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, "alice", 3)?;
    let (mut conn, users) = (database.open_now()?, users::<D>());
    RUNTIME.block_on(users.catch_up(&mut conn))?;
    RUNTIME.block_on(async_reset(&mut conn, (NAME, 1), clear))?;
    assert_eq!(reached(&mut witness)?, Position::START);
    assert!(applied(&mut witness)?.is_empty());
    assert_eq!(RUNTIME.block_on(users.catch_up(&mut conn))?.applied(), 3);
    assert_eq!(applied(&mut witness)?, ["alice 1", "alice 2", "alice 3"]);
    Ok(())
}

fn a_reset_that_cannot_clear_the_read_model_changes_nothing<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, "alice", 2)?;
    let (mut conn, users) = (database.open_now()?, users::<D>());
    RUNTIME.block_on(users.catch_up(&mut conn))?;
    let before = reached(&mut witness)?;
    let refused = RUNTIME.block_on(async_reset(&mut conn, (NAME, 1), fail));
    assert_eq!(refused.unwrap_err().to_string(), "not today");
    assert_eq!((reached(&mut witness)?, applied(&mut witness)?.len()), (before, 2));
    assert_eq!(RUNTIME.block_on(users.catch_up(&mut conn))?.applied(), 0);
    Ok(())
}

fn a_reset_is_part_of_the_applications_transaction<D: Database>() -> Result {
    type Manager<C> = <C as AsyncConnection>::TransactionManager;
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, "alice", 2)?;
    let (mut conn, users) = (database.open_now()?, users::<D>());
    RUNTIME.block_on(async {
        users.catch_up(&mut conn).await?;
        Manager::<D::Awaited>::begin_transaction(&mut conn).await?;
        async_reset(&mut conn, (NAME, 1), clear).await?;
        Manager::<D::Awaited>::rollback_transaction(&mut conn).await?;
        Ok::<_, BoxError>(())
    })?;
    assert_eq!(applied(&mut witness)?.len(), 2);
    assert_eq!(RUNTIME.block_on(users.catch_up(&mut conn))?.applied(), 0);
    Ok(())
}

fn what_was_never_run_is_unknown<D: Database>() -> Result {
    let (database, _witness) = application::<D>()?;
    let mut conn = database.open_now()?;
    let reset = RUNTIME.block_on(async_reset(&mut conn, (NAME, 1), clear));
    let promoted = RUNTIME.block_on(async_promote(&mut conn, (NAME, 1), clear));
    for refused in [reset, promoted] {
        assert!(matches!(refused, Err(ProjectionError::Unknown { .. })), "{refused:?}");
    }
    Ok(())
}

fn a_promoted_version_takes_the_place_of_the_old<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, "alice", 2)?;
    let mut conn = database.open_now()?;
    RUNTIME.block_on(version::<D>(1).catch_up(&mut conn))?;
    RUNTIME.block_on(version::<D>(2).catch_up(&mut conn))?;
    RUNTIME.block_on(async_promote(&mut conn, (NAME, 2), clear))?;
    assert!(applied(&mut witness)?.is_empty());
    assert_eq!(states(&mut conn)?, [ProjectionState::Retired, ProjectionState::Idle]);

    append(&mut witness, "alice", 1)?;
    let retired = RUNTIME.block_on(version::<D>(1).catch_up(&mut conn));
    assert!(matches!(retired, Err(ProjectionError::Retired { .. })), "{retired:?}");
    assert_eq!(RUNTIME.block_on(version::<D>(2).catch_up(&mut conn))?.applied(), 1);
    assert_eq!(applied(&mut witness)?, ["alice 3"]);
    Ok(())
}

fn a_version_that_is_behind_is_not_promoted<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    let mut conn = database.open_now()?;
    RUNTIME.block_on(version::<D>(2).catch_up(&mut conn))?;
    append(&mut witness, "alice", 2)?;
    RUNTIME.block_on(version::<D>(1).catch_up(&mut conn))?;
    let refused = RUNTIME.block_on(async_promote(&mut conn, (NAME, 2), clear));
    assert!(matches!(refused, Err(ProjectionError::Behind { .. })), "{refused:?}");
    assert_eq!(applied(&mut witness)?.len(), 2);
    assert_eq!(states(&mut conn)?, [ProjectionState::Idle; 2]);
    Ok(())
}

fn a_swap_that_fails_changes_nothing<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, "alice", 1)?;
    let mut conn = database.open_now()?;
    RUNTIME.block_on(version::<D>(1).catch_up(&mut conn))?;
    RUNTIME.block_on(version::<D>(2).catch_up(&mut conn))?;
    let refused = RUNTIME.block_on(async_promote(&mut conn, (NAME, 2), fail));
    assert_eq!(refused.unwrap_err().to_string(), "not today");
    assert_eq!(applied(&mut witness)?.len(), 2);
    assert_eq!(states(&mut conn)?, [ProjectionState::Idle; 2]);
    Ok(())
}

/// A task can do it: the futures are `Send`.
#[test]
fn a_task_resets_and_promotes_postgres() -> Result {
    async fn work(mut conn: AsyncPgConnection) -> Result<(), ProjectionError> {
        version::<Postgres>(2).catch_up(&mut conn).await?;
        async_promote(&mut conn, (NAME, 2), async |conn| clear(conn).await).await?;
        async_reset(&mut conn, (NAME, 2), async move |conn| clear(conn).await).await
    }
    let (database, mut witness) = application::<Postgres>()?;
    append(&mut witness, "alice", 1)?;
    let conn = database.open_now()?;
    RUNTIME.block_on(RUNTIME.spawn(work(conn)))??;
    assert_eq!(reached(&mut witness)?, Position::START);
    Ok(())
}
