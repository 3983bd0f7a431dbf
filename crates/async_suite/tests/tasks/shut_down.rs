//! A runtime that has gone, with the threads on which a connection to SQLite did its work.

use async_suite::{AsyncSqlite, RUNTIME, Result, TestDatabase, counted};
use diesel::{Connection, SqliteConnection};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, TransactionManager};
use real::{AsyncEventStore, Error, ExpectedVersion, StreamId, async_write_transaction};
use tokio::runtime::Builder;

type Manager = <SyncConnectionWrapper<SqliteConnection> as AsyncConnection>::TransactionManager;

/// Nobody can roll it back any more.
#[test]
fn a_transaction_that_stays_open_marks_its_connection_as_broken() -> Result {
    let database = AsyncSqlite::migrated()?;
    let its_own = Builder::new_multi_thread().worker_threads(1).build()?;
    let mut conn = {
        let _entered = its_own.enter();
        SyncConnectionWrapper::<SqliteConnection>::new(SqliteConnection::establish(&database.url())?)
    };
    let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    let failed = RUNTIME.block_on(async_write_transaction(&mut conn, async |conn| {
        store.append(conn, &alice, ExpectedVersion::Any, &counted(1)?).await?;
        its_own.shutdown_background();
        store.version(conn, &alice).await?;
        Ok::<_, Error>(())
    }));
    assert!(failed.is_err());
    let status = Manager::transaction_manager_status_mut(&mut conn);
    assert!(status.transaction_depth().is_err(), "after {failed:?}: {status:?}");
    Ok(())
}
