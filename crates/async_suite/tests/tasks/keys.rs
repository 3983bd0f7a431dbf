//! Requests that come twice.

use std::time::Duration;

use async_suite::{AsyncMysql, AsyncPostgres, AsyncSqlite, RUNTIME, Result, TestDatabase};
use real::chrono::Utc;
use real::{
    AppendBatch, AppendError, AsyncEventConnection, AsyncEventStore, Error, ExpectedVersion, NewEvent,
    StreamId,
};

const STORE: AsyncEventStore = AsyncEventStore::new();

#[test]
fn a_request_that_comes_twice_is_carried_out_once_postgres() -> Result {
    let database = AsyncPostgres::migrated()?;
    let conns = [database.connect()?.into_inner(), database.connect()?.into_inner()];
    RUNTIME.block_on(RUNTIME.spawn(twice(conns)))?
}

#[test]
fn a_request_that_comes_twice_is_carried_out_once_mysql() -> Result {
    let database = AsyncMysql::migrated()?;
    let conns = [database.connect()?.into_inner(), database.connect()?.into_inner()];
    RUNTIME.block_on(RUNTIME.spawn(twice(conns)))?
}

#[test]
fn a_request_that_comes_twice_is_carried_out_once() -> Result {
    let database = AsyncSqlite::migrated()?;
    let conns = [database.connect()?.into_inner(), database.connect()?.into_inner()];
    RUNTIME.block_on(RUNTIME.spawn(twice(conns)))?
}

async fn twice<C: AsyncEventConnection>([mut one, mut other]: [C; 2]) -> Result {
    let (first, again) = (request(7)?, request(7)?);
    let at_once =
        futures_util::join!(STORE.append_batch(&mut one, &first), STORE.append_batch(&mut other, &again));
    let (first, again) = (at_once.0?, at_once.1?);
    assert_ne!(first.is_repeat(), again.is_repeat());
    assert_eq!(first.streams()[0].events(), again.streams()[0].events());

    let refused = STORE.append_batch(&mut one, &request(8)?).await;
    assert!(matches!(refused, Err(AppendError::KeyReused { .. })), "{refused:?}");

    assert_eq!(STORE.delete_keys_before(&mut one, Utc::now() + Duration::from_secs(60)).await?, 1);
    assert!(!STORE.append_batch(&mut other, &request(8)?).await?.is_repeat());
    assert_eq!(STORE.version(&mut one, &StreamId::new("User", "alice")?).await?, 2);
    assert!(STORE.log_closed(&mut one).await?.is_none());
    assert_eq!(STORE.log_id(&mut one).await?, STORE.log_id(&mut other).await?);
    Ok(())
}

fn request(cents: i64) -> Result<AppendBatch, Error> {
    let paid = NewEvent::new("Paid", &cents)?;
    let batch = AppendBatch::new().append(&StreamId::new("User", "alice")?, ExpectedVersion::Any, [paid]);
    Ok(batch.idempotency_key("request-1"))
}
