use async_suite::{AsyncMysql, AsyncPostgres, AsyncSqlite, RUNTIME, Result, TestDatabase, counted};
use futures_util::TryStreamExt;
use real::{
    AsyncEventConnection, AsyncEventStore, Error, ExpectedVersion, LogQuery, Position, StreamId,
    async_write_transaction,
};

#[test]
fn a_task_appends_in_a_transaction_and_reads_a_stream_postgres() -> Result {
    let database = AsyncPostgres::migrated()?;
    let conn = database.connect()?.into_inner();
    assert_eq!(RUNTIME.block_on(RUNTIME.spawn(work(conn)))??, [1, 2, 3]);
    Ok(())
}

#[test]
fn a_task_appends_in_a_transaction_and_reads_a_stream_mysql() -> Result {
    let database = AsyncMysql::migrated()?;
    let conn = database.connect()?.into_inner();
    assert_eq!(RUNTIME.block_on(RUNTIME.spawn(work(conn)))??, [1, 2, 3]);
    Ok(())
}

#[test]
fn a_task_appends_in_a_transaction_and_reads_a_stream() -> Result {
    let database = AsyncSqlite::migrated()?;
    let conn = database.connect()?.into_inner();
    assert_eq!(RUNTIME.block_on(RUNTIME.spawn(work(conn)))??, [1, 2, 3]);
    Ok(())
}

async fn work<C: AsyncEventConnection>(mut conn: C) -> Result<Vec<i64>, Error> {
    let (store, stream) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    let events = counted(3)?;
    async_write_transaction(&mut conn, async |conn| -> Result<(), Error> {
        store.append(conn, &stream, ExpectedVersion::NoStream, &events).await?;
        Ok(())
    })
    .await?;
    let log = store.iter_log(&mut conn, LogQuery::after(Position::START)).page_size(2);
    Ok(log.map_ok(|event| event.version()).try_collect().await?)
}
