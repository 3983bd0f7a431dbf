//! A pool that waits for as long as it takes when it has no connection to give, as deadpool does if nobody says
//! otherwise.

use std::time::Duration;

use async_suite::{BoxError, RUNTIME};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::deadpool::Pool;
use real::RecordedEvent;
use real::projection::{
    self, AsyncProjection, AsyncRunner, AsyncRunnerHandle, HandlerError, Projection, ProjectionError,
    ProjectionState,
};
use support::{Postgres, Result, TestDatabase, eventually};

use super::read_model::{NAME, append, application, insert, run};

type Conn = AsyncPgConnection;

fn start(
    database: &Postgres,
    connections: usize,
    projection: AsyncProjection<Conn>,
) -> Result<AsyncRunnerHandle, BoxError> {
    let manager = AsyncDieselConnectionManager::<Conn>::new(database.url());
    let pool = Pool::builder(manager).max_size(connections).build()?;
    let connect = move || {
        let pool = pool.clone();
        async move { pool.get().await }
    };
    let runner = AsyncRunner::new(connect).projection(projection.lease(LEASE).lent_by());
    Ok(RUNTIME.block_on(runner.start())?)
}

const LEASE: Duration = Duration::from_secs(1);

/// The partition is marked on a connection that the handler has not had.
#[test]
fn of_just_the_size_it_has_one_to_mark_what_has_stopped() -> Result {
    async fn commit(conn: &mut Conn, _: &RecordedEvent) -> Result<(), HandlerError> {
        run(conn, "COMMIT").await?;
        Ok(())
    }
    let (database, mut witness) = application::<Postgres>()?;
    append(&mut witness, "alice", 1)?;
    let running = start(&database, 2, Projection::awaited(NAME, 1, commit))?;
    eventually("it has failed", || {
        let status = projection::status(&mut witness)?;
        Ok(status[0].partitions()[0].state() == ProjectionState::Failed)
    })?;
    let stopped = RUNTIME.block_on(running.stop());
    assert!(matches!(stopped, Err(ProjectionError::TransactionEnded { .. })), "{stopped:?}");
    Ok(())
}

#[test]
fn too_small_it_is_refused_at_the_start() -> Result {
    let (database, _witness) = application::<Postgres>()?;
    let users = Projection::awaited(NAME, 1, insert::<Conn>).partitions(4);
    let refused = start(&database, 2, users).err().ok_or("it has started")?;
    let Some(ProjectionError::TooFewConnections { available: 2, needed: 5, .. }) = refused.downcast_ref()
    else {
        panic!("{refused:?}")
    };
    Ok(())
}

/// It is large enough at the start, and then there are more partitions.
#[test]
fn a_partition_that_waits_for_it_is_not_healthy() -> Result {
    let (database, mut witness) = application::<Postgres>()?;
    let users = Projection::awaited(NAME, 1, insert::<Conn>).partitions(2);
    let running = start(&database, 3, users)?;
    projection::repartition(&mut witness, (NAME, 1), 4)?;
    eventually("there are four", || Ok(projection::status(&mut witness)?[0].partitions().len() == 4))?;
    eventually("it knows", || Ok(!running.is_healthy()))?;
    Ok(RUNTIME.block_on(running.stop())?)
}
