//! A call that is dropped, wherever it waits.

use std::time::Duration;

use async_suite::RUNTIME;
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::{AsyncConnection, TransactionManager};
use real::projection::{ProjectionError, StartFrom, async_reset, async_reset_to};
use real::{AsyncEventConnection, AsyncEventStore, CheckpointError, EventStore, Position};
use support::{Result, eventually};

use super::database::{Database, on_each_database};
use super::drops::Drops;
use super::read_model::{NAME, append, application, applied, reached, run, users, versions_of};

on_each_database! {
    a_batch_is_applied_with_its_checkpoint_or_not_at_all:
        a_batch_is_applied_with_its_checkpoint_or_not_at_all_postgres,
        a_batch_is_applied_with_its_checkpoint_or_not_at_all_mysql;
    a_transaction_that_goes_on_commits_whole_batches:
        a_transaction_that_goes_on_commits_whole_batches_postgres,
        a_transaction_that_goes_on_commits_whole_batches_mysql;
    a_reset_empties_the_read_model_or_does_nothing:
        a_reset_empties_the_read_model_or_does_nothing_postgres,
        a_reset_empties_the_read_model_or_does_nothing_mysql;
    a_reset_to_a_position_makes_the_read_model_fit_or_does_nothing:
        a_reset_to_a_position_makes_the_read_model_fit_or_does_nothing_postgres,
        a_reset_to_a_position_makes_the_read_model_fit_or_does_nothing_mysql;
}

/// The shortest that there is: a dropped call keeps the partition for so long.
const LEASE: Duration = Duration::from_millis(100);

fn a_batch_is_applied_with_its_checkpoint_or_not_at_all<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    let users = users::<D>().batch_size(2).lease(LEASE);
    for drops in Drops::all() {
        append(&mut witness, "alice", 4)?;
        let mut conn = database.open_now()?;
        let finished = RUNTIME.block_on(drops.cut(users.catch_up(&mut conn))).transpose();
        saves_nothing_if_broken(conn)?;
        is_consistent(&mut witness, &format!("{drops:?}"))?;
        catch_up_later::<D>(&database)?;
        if finished?.is_some() {
            break;
        }
    }
    let (applied, last) = (applied(&mut witness)?, EventStore::new().last_position(&mut witness)?);
    assert_eq!(versions_of(&applied, "alice"), (1..=last.get()).collect::<Vec<_>>());
    Ok(())
}

/// Each event up to the checkpoint has its row, and none above it. All events are of one aggregate, so its
/// versions count the positions.
fn is_consistent(witness: &mut impl real::EventConnection, name: &str) -> Result {
    // Read first, and again: a transaction may be rolled back or committed meanwhile.
    eventually(&format!("rows and checkpoint to agree after {name}"), || {
        let (before, rows, after) = (reached(witness)?, applied(witness)?, reached(witness)?);
        let last = versions_of(&rows, "alice").last().copied().unwrap_or(0);
        assert!(before != after || after_is_whole(last, after, witness)?, "{name}: {last} and {after:?}");
        Ok(before == after)
    })
}

/// Gaps of positions have no events, so the row of the last event at or below the checkpoint is the last row.
fn after_is_whole(last: i64, checkpoint: Position, witness: &mut impl real::EventConnection) -> Result<bool> {
    let events = support::count(witness, &format!("events WHERE global_position <= {checkpoint}"))?;
    Ok(events == last)
}

/// What a broken connection acknowledged would be lost.
fn saves_nothing_if_broken<C: PoolableConnection + AsyncEventConnection>(mut conn: C) -> Result {
    if conn.is_broken() {
        let store = AsyncEventStore::new();
        let refused = RUNTIME.block_on(store.save_checkpoint(&mut conn, "mails", Position::new(1)?));
        assert!(refused.as_ref().is_err_and(CheckpointError::is_retryable), "{refused:?}");
    }
    Ok(())
}

/// Once the lease of the dropped call has run out.
fn catch_up_later<D: Database>(database: &D) -> Result {
    let mut conn = database.open_now()?;
    eventually("the lease to run out", || match RUNTIME.block_on(users::<D>().catch_up(&mut conn)) {
        Err(ProjectionError::Owned { .. }) => Ok(false),
        caught_up => Ok(caught_up.map(|_| true)?),
    })
}

type Manager<C> = <C as AsyncConnection>::TransactionManager;

fn a_transaction_that_goes_on_commits_whole_batches<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    let users = users::<D>().batch_size(2).lease(LEASE);
    for drops in Drops::all() {
        append(&mut witness, "alice", 4)?;
        EventStore::new().publish_position(&mut witness)?; // up to which a transaction reads the log
        let mut conn = database.open_now()?;
        let (finished, committed) = RUNTIME.block_on(async {
            Manager::<D::Awaited>::begin_transaction(&mut conn).await?;
            let finished = drops.cut(users.catch_up(&mut conn)).await.transpose()?.is_some();
            let committed = match run(&mut conn, "DELETE FROM applied WHERE name = 'nothing'").await {
                Ok(_) => Manager::<D::Awaited>::commit_transaction(&mut conn).await,
                Err(error) => Err(error),
            };
            Ok::<_, async_suite::BoxError>((finished, committed))
        })?;
        drop(conn);
        assert!(!finished || committed.is_ok(), "{drops:?}: {committed:?}");
        is_consistent(&mut witness, &format!("{drops:?}, and a commit that said {committed:?}"))?;
        catch_up_later::<D>(&database)?;
        if finished {
            return Ok(());
        }
    }
    unreachable!("all drops end in a panic")
}

fn a_reset_empties_the_read_model_or_does_nothing<D: Database>() -> Result {
    async fn clear<C: AsyncEventConnection>(conn: &mut C) -> Result<(), ProjectionError> {
        run(conn, "DELETE FROM applied").await?;
        Ok(())
    }
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, "alice", 4)?;
    for drops in Drops::all() {
        catch_up_later::<D>(&database)?;
        let mut conn = database.open_now()?;
        let reset = async_reset(&mut conn, (NAME, 1), clear);
        let finished = RUNTIME.block_on(drops.cut(reset)).transpose();
        drop(conn);
        is_consistent(&mut witness, &format!("{drops:?}"))?;
        if finished?.is_some() {
            break;
        }
    }
    assert_eq!(reached(&mut witness)?, Position::START);
    Ok(())
}

fn a_reset_to_a_position_makes_the_read_model_fit_or_does_nothing<D: Database>() -> Result {
    async fn fit<C: AsyncEventConnection>(conn: &mut C) -> Result<(), ProjectionError> {
        run(conn, "DELETE FROM applied WHERE name IN ('alice 3', 'alice 4')").await?;
        Ok(())
    }
    let (database, mut witness) = application::<D>()?;
    let second = append(&mut witness, "alice", 4)?.events()[1].position();
    for drops in Drops::all() {
        catch_up_later::<D>(&database)?;
        let mut conn = database.open_now()?;
        let reset = async_reset_to(&mut conn, (NAME, 1), StartFrom::Position(second), fit);
        let finished = RUNTIME.block_on(drops.cut(reset)).transpose();
        drop(conn);
        is_consistent(&mut witness, &format!("{drops:?}"))?;
        if finished?.is_some() {
            break;
        }
    }
    assert_eq!(reached(&mut witness)?, second);
    Ok(())
}
