use async_suite::RUNTIME;
use real::projection::{HandlerError, Projection};
use real::{AsyncEventStore, ExpectedVersion, RecordedEvent, async_write_transaction};
use support::{Result, count, counted, user};

use super::database::{Database, on_each_database};
use super::read_model::{NAME, application, applied, insert, users};

on_each_database! {
    rows_and_events_are_committed_together:
        rows_and_events_are_committed_together_postgres, rows_and_events_are_committed_together_mysql;
    a_failing_handler_undoes_the_append:
        a_failing_handler_undoes_the_append_postgres, a_failing_handler_undoes_the_append_mysql;
}

fn rows_and_events_are_committed_together<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    let (mut conn, users) = (database.open_now()?, users::<D>());
    let (alice, events) = (user("alice")?, counted(2)?);
    RUNTIME.block_on(async_write_transaction(&mut conn, async |conn| -> Result {
        let store = AsyncEventStore::new();
        let appended = store.append(conn, &alice, ExpectedVersion::NoStream, &events).await?;
        users.apply_inline(conn, appended.events()).await.map_err(HandlerError::into_error)
    }))?;
    assert_eq!(applied(&mut witness)?, ["alice 1", "alice 2"]);
    assert_eq!(count(&mut witness, "projection_checkpoints")?, 0);
    Ok(())
}

fn a_failing_handler_undoes_the_append<D: Database>() -> Result {
    async fn fail<D: Database>(conn: &mut D::Awaited, event: &RecordedEvent) -> Result<(), HandlerError> {
        insert(conn, event).await?;
        Err(HandlerError::failed("after its row"))
    }
    let (database, mut witness) = application::<D>()?;
    let mut conn = database.open_now()?;
    let failing = Projection::awaited(NAME, 1, fail::<D>);
    let (alice, events) = (user("alice")?, counted(2)?);
    let undone = RUNTIME.block_on(async_write_transaction(&mut conn, async |conn| -> Result {
        let store = AsyncEventStore::new();
        let appended = store.append(conn, &alice, ExpectedVersion::NoStream, &events).await?;
        failing.apply_inline(conn, appended.events()).await.map_err(HandlerError::into_error)
    }));
    assert!(undone.is_err_and(|error| error.to_string() == "after its row"));
    assert!(applied(&mut witness)?.is_empty());
    assert_eq!(count(&mut witness, "events")?, 0);
    Ok(())
}
