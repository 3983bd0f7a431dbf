use std::time::Duration;

use async_suite::RUNTIME;
use real::RecordedEvent;
use real::projection::{
    self, AsyncHandler, HandlerError, OnFailure, ParkReason, Projection, ProjectionError,
};
use support::{Result, count, execute};

use super::database::{Database, on_each_database};
use super::read_model::{NAME, append, application, applied, insert, name_of, run};

on_each_database! {
    an_event_that_fails_is_parked_until_it_is_mended:
        an_event_that_fails_is_parked_until_it_is_mended_postgres,
        an_event_that_fails_is_parked_until_it_is_mended_mysql;
    a_panic_counts_as_a_failure: a_panic_counts_as_a_failure_postgres, a_panic_counts_as_a_failure_mysql;
    a_failure_leaves_the_applications_transaction_usable:
        a_failure_leaves_the_applications_transaction_usable_postgres,
        a_failure_leaves_the_applications_transaction_usable_mysql;
    a_handler_that_commits_and_wants_another_try_is_found_out:
        a_handler_that_commits_and_wants_another_try_is_found_out_postgres,
        a_handler_that_commits_and_wants_another_try_is_found_out_mysql;
}

/// Writes the row, and then fails at one event, unless that is mended.
struct Fails {
    at: &'static str,
    by_a_panic: bool,
}

impl<C: real::AsyncEventConnection + 'static> AsyncHandler<C> for Fails {
    async fn handle(&self, conn: &mut C, event: &RecordedEvent) -> Result<(), HandlerError> {
        insert(conn, event).await?;
        if name_of(event) != self.at {
            return Ok(());
        }
        let mended = "UPDATE applied SET name = 'mended' WHERE name = 'to mend'";
        match run(conn, mended).await? {
            0 if self.by_a_panic => std::panic::resume_unwind(Box::new("in the middle")),
            0 => Err(HandlerError::failed("nobody has mended it")),
            _ => Ok(()),
        }
    }
}

/// Writes the row, commits it by SQL, and asks for another try.
struct Commits;

impl<C: real::AsyncEventConnection + 'static> AsyncHandler<C> for Commits {
    async fn handle(&self, conn: &mut C, event: &RecordedEvent) -> Result<(), HandlerError> {
        insert(conn, event).await?;
        run(conn, "COMMIT").await?;
        Err(HandlerError::retry("busy"))
    }
}

/// What it has committed would be there twice. diesel-async does not know of the COMMIT.
fn a_handler_that_commits_and_wants_another_try_is_found_out<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, "alice", 1)?;
    let mut conn = database.open_now()?;
    let commits = Projection::awaited(NAME, 1, Commits);
    let refused = RUNTIME.block_on(commits.catch_up(&mut conn));
    assert!(matches!(refused, Err(ProjectionError::TransactionEnded { .. })), "{refused:?}");
    assert_eq!(applied(&mut witness)?, ["alice 1"]);
    Ok(())
}

fn an_event_that_fails_is_parked_until_it_is_mended<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, "alice", 3)?;
    append(&mut witness, "bob", 2)?;
    let mut conn = database.open_now()?;
    let failing = Projection::awaited(NAME, 1, Fails { at: "alice 2", by_a_panic: false })
        .retries(0, Duration::ZERO)
        .on_failure(OnFailure::Park);

    RUNTIME.block_on(failing.catch_up(&mut conn))?;
    assert_eq!(applied(&mut witness)?, ["alice 1", "bob 1", "bob 2"]);
    let parked = projection::parked(&mut witness, (NAME, 1))?;
    let reasons: Vec<_> = parked.iter().map(|parked| parked.reason()).collect();
    assert_eq!(reasons, [ParkReason::Failed, ParkReason::Held]);

    execute(&mut witness, "INSERT INTO applied (name) VALUES ('to mend')")?;
    assert!(projection::retry_parked(&mut witness, (NAME, 1), parked[0].position())?);
    RUNTIME.block_on(failing.catch_up(&mut conn))?;
    assert_eq!(applied(&mut witness)?, ["alice 1", "bob 1", "bob 2", "mended", "alice 2", "alice 3"]);
    assert!(projection::parked(&mut witness, (NAME, 1))?.is_empty());
    Ok(())
}

fn a_panic_counts_as_a_failure<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, "alice", 2)?;
    let mut conn = database.open_now()?;
    let failing = Projection::awaited(NAME, 1, Fails { at: "alice 1", by_a_panic: true })
        .retries(2, Duration::ZERO)
        .on_failure(OnFailure::ParkAlone);

    assert_eq!(RUNTIME.block_on(failing.catch_up(&mut conn))?.applied(), 1);
    assert_eq!(applied(&mut witness)?, ["alice 2"]);
    let parked = projection::parked(&mut witness, (NAME, 1))?;
    assert_eq!((parked.len(), parked[0].attempts()), (1, 3));
    assert!(parked[0].error().contains("in the middle"), "{}", parked[0].error());
    Ok(())
}

fn a_failure_leaves_the_applications_transaction_usable<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, "alice", 2)?;
    real::EventStore::new().publish_position(&mut witness)?;
    let mut conn = database.open_now()?;
    let failing = Projection::awaited(NAME, 1, Fails { at: "alice 2", by_a_panic: true });

    RUNTIME.block_on(real::async_write_transaction(&mut conn, async |conn| -> Result {
        assert!(failing.catch_up(conn).await.is_err());
        run(conn, "INSERT INTO applied (name) VALUES ('by the application')").await?;
        Ok(())
    }))?;
    assert_eq!(applied(&mut witness)?, ["alice 1", "by the application"]);
    assert_eq!(count(&mut witness, "projection_checkpoints WHERE last_global_position > 0")?, 1);
    Ok(())
}
