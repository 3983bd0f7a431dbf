use async_suite::RUNTIME;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::deadpool::Pool;
use real::RecordedEvent;
use real::projection::{HandlerError, Projection, ProjectionError};
use support::{Postgres, Result, TestDatabase};

use super::database::{Database, on_each_database};
use super::read_model::{
    NAME, append, application, applied, blocking_users, insert, name_of, reached, run, users, versions_of,
};

on_each_database! {
    each_event_is_applied_once_and_in_order:
        each_event_is_applied_once_and_in_order_postgres, each_event_is_applied_once_and_in_order_mysql;
    both_kinds_of_handlers_share_a_checkpoint:
        both_kinds_of_handlers_share_a_checkpoint_postgres, both_kinds_of_handlers_share_a_checkpoint_mysql;
    a_handler_of_batches_is_given_them_at_once:
        a_handler_of_batches_is_given_them_at_once_postgres, a_handler_of_batches_is_given_them_at_once_mysql;
    a_handler_that_commits_is_found_out:
        a_handler_that_commits_is_found_out_postgres, a_handler_that_commits_is_found_out_mysql;
}

fn each_event_is_applied_once_and_in_order<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    let mut conn = database.open_now()?;
    let users = users::<D>().partitions(3).batch_size(7);
    for round in 1..=2 {
        for _ in 0..10 {
            append(&mut witness, "alice", 3)?;
            append(&mut witness, "bob", 1)?;
            append(&mut witness, "carol", 2)?;
        }
        assert_eq!(RUNTIME.block_on(users.catch_up(&mut conn))?.applied(), 60);
        assert_eq!(RUNTIME.block_on(users.catch_up(&mut conn))?.applied(), 0);
        let applied = applied(&mut witness)?;
        assert_eq!(versions_of(&applied, "alice"), (1..=30 * round).collect::<Vec<_>>());
        assert_eq!(versions_of(&applied, "bob"), (1..=10 * round).collect::<Vec<_>>());
        assert_eq!(versions_of(&applied, "carol"), (1..=20 * round).collect::<Vec<_>>());
    }
    Ok(())
}

fn both_kinds_of_handlers_share_a_checkpoint<D: Database>() -> Result {
    let (database, mut blocking) = application::<D>()?;
    let mut awaited = database.open_now()?;
    for _ in 0..3 {
        append(&mut blocking, "alice", 2)?;
        assert_eq!(RUNTIME.block_on(users::<D>().catch_up(&mut awaited))?.applied(), 2);
        append(&mut blocking, "alice", 2)?;
        assert_eq!(blocking_users::<D>().catch_up(&mut blocking)?.applied(), 2);
    }
    assert_eq!(versions_of(&applied(&mut blocking)?, "alice"), (1..=12).collect::<Vec<_>>());
    Ok(())
}

fn a_handler_of_batches_is_given_them_at_once<D: Database>() -> Result {
    async fn all<D: Database>(conn: &mut D::Awaited, events: &[RecordedEvent]) -> Result<(), HandlerError> {
        let names: Vec<_> = events.iter().map(name_of).collect();
        run(conn, &format!("INSERT INTO applied (name) VALUES ('{}')", names.join(", "))).await?;
        Ok(())
    }
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, "alice", 3)?;
    let mut conn = database.open_now()?;
    RUNTIME.block_on(Projection::awaited_in_batches(NAME, 1, all::<D>).catch_up(&mut conn))?;
    assert_eq!(applied(&mut witness)?, ["alice 1, alice 2, alice 3"]);
    Ok(())
}

fn a_handler_that_commits_is_found_out<D: Database>() -> Result {
    async fn committed<D: Database>(
        conn: &mut D::Awaited,
        event: &RecordedEvent,
    ) -> Result<(), HandlerError> {
        insert(conn, event).await?;
        run(conn, "COMMIT").await?;
        Ok(())
    }
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, "alice", 1)?;
    let mut conn = database.open_now()?;
    let refused = RUNTIME.block_on(Projection::awaited(NAME, 1, committed::<D>).catch_up(&mut conn));
    assert!(matches!(refused, Err(ProjectionError::TransactionEnded { .. })), "{refused:?}");
    drop(conn);
    assert_eq!(reached(&mut witness)?.get(), 0);
    Ok(())
}

#[test]
fn a_projection_fits_what_a_pool_lends_postgres() -> Result {
    let (database, mut witness) = application::<Postgres>()?;
    append(&mut witness, "alice", 2)?;
    let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new(database.url());
    let pool = Pool::builder(manager).max_size(1).build()?;
    let users = users::<Postgres>().lent_by();
    RUNTIME.block_on(async {
        let mut conn = pool.get().await?;
        Ok::<_, async_suite::BoxError>(users.catch_up(&mut conn).await?)
    })?;
    assert_eq!(applied(&mut witness)?, ["alice 1", "alice 2"]);
    Ok(())
}
