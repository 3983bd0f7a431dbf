use async_suite::{AsyncMysql, AsyncPostgres, Result, TestDatabase, counted};
use diesel::{Connection, SqliteConnection};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, AsyncMysqlConnection, AsyncPgConnection};
use real::{
    AsyncEventConnection, AsyncEventStore, Error, ExpectedVersion, StreamId, async_run_pending_migrations,
};
use tokio::runtime::{Builder, Runtime};

fn with_one_thread() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

#[test]
fn a_runtime_with_one_thread_is_enough_postgres() -> Result {
    let database = AsyncPostgres::create()?;
    with_one_thread()?.block_on(async {
        let mut conn = AsyncPgConnection::establish(&database.url()).await?;
        assert_eq!(work(&mut conn).await?, 3);
        Ok(())
    })
}

#[test]
fn a_runtime_with_one_thread_is_enough_mysql() -> Result {
    let database = AsyncMysql::create()?;
    with_one_thread()?.block_on(async {
        let mut conn = AsyncMysqlConnection::establish(&database.url()).await?;
        assert_eq!(work(&mut conn).await?, 3);
        Ok(())
    })
}

/// As long as no future is dropped.
#[test]
fn a_runtime_with_one_thread_is_enough() -> Result {
    with_one_thread()?.block_on(async {
        let mut conn = SyncConnectionWrapper::new(SqliteConnection::establish(":memory:")?);
        assert_eq!(work(&mut conn).await?, 3);
        Ok(())
    })
}

async fn work<C: AsyncEventConnection>(conn: &mut C) -> Result<i64, Error> {
    let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    async_run_pending_migrations(conn).await?;
    store.append(conn, &alice, ExpectedVersion::NoStream, &counted(3)?).await?;
    Ok(store.version(conn, &alice).await?)
}
