//! A projection that is written for diesel's own connection, in a runner that takes its connections from a
//! pool.

use std::time::Duration;

use diesel::r2d2::{ConnectionManager, Pool};
use diesel_event_store::projection::{Projection, ProjectionError, ProjectionState, Runner, Runs};
use test_support::{InAPool, PoolDatabase, Result, TestDatabase, eventually, execute, wait_for_projection};

use super::{NAME, append, application, applied, runner, states, users};
use crate::suite::Tests;

type Pooled<D> = <InAPool<D> as TestDatabase>::Conn;

pub fn tests<D>() -> Tests
where
    D: PoolDatabase,
    Pooled<D>: Runs<D::Conn>,
{
    vec![
        ("a_plain_projection_runs_with_a_pool", a_plain_projection_runs_with_a_pool::<D>),
        ("a_projection_is_made_for_other_connections", a_projection_is_made_for_other_connections::<D>),
        (
            "a_pool_of_just_the_size_marks_what_has_stopped",
            a_pool_of_just_the_size_marks_what_has_stopped::<D>,
        ),
    ]
}

fn a_plain_projection_runs_with_a_pool<D>() -> Result
where
    D: PoolDatabase,
    Pooled<D>: Runs<D::Conn>,
{
    let (db, mut conn) = application::<InAPool<D>>()?;
    let last = append(&mut conn, "alice", 3)?.last_position();
    let plain: Projection<D::Conn> = users().batch_size(2).partitions(2);
    let id = plain.id().clone();
    let running = runner(&db).projection(plain).start()?;
    wait_for_projection(&mut conn, id, last)?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 3"]);
    Ok(running.stop()?)
}

/// All that was said of it stays.
fn a_projection_is_made_for_other_connections<D: PoolDatabase>() -> Result {
    let (_db, mut conn) = application::<InAPool<D>>()?;
    append(&mut conn, "alice", 2)?;
    let several = Projection::in_batches("several", 7, |conn: &mut D::Conn, events| {
        assert!(events.len() < 3, "the size of a batch is kept");
        events.iter().try_for_each(|event| super::insert(conn, event))
    })
    .batch_size(2)
    .aggregate_types(["User"]);
    let several = several.lent_by::<Pooled<D>>();
    assert_eq!(several.id().to_string(), "several version 7");
    append(&mut conn, "bob", 2)?;
    assert_eq!(several.catch_up(&mut conn)?.applied(), 4);
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "bob 1", "bob 2"]);
    Ok(())
}

/// One connection for the manager and one for the partition. The handler ends its transaction, so the partition
/// cannot be marked on the connection that the handler has had.
fn a_pool_of_just_the_size_marks_what_has_stopped<D>() -> Result
where
    D: PoolDatabase,
    Pooled<D>: Runs<D::Conn>,
{
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let pool = Pool::builder()
        .max_size(2)
        .connection_timeout(Duration::from_millis(200))
        .connection_customizer(D::customizer())
        .build(ConnectionManager::<D::Conn>::new(db.url()))?;
    let ending = Projection::new(NAME, 1, |conn: &mut D::Conn, _| Ok(execute(conn, "COMMIT")?));
    let running = Runner::new(move || pool.get()).projection(ending).start()?;
    eventually("it has failed", || Ok(states(&mut conn)? == [ProjectionState::Failed]))?;
    let stopped = running.stop();
    assert!(matches!(stopped, Err(ProjectionError::TransactionEnded { .. })), "{stopped:?}");
    Ok(())
}
