//! One store, through a connection that blocks and one that is awaited.

use async_suite::{RUNTIME, Result, counted, versions};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, AsyncMysqlConnection, AsyncPgConnection};
use real::{
    AsyncEventConnection, AsyncEventStore, EventConnection, EventStore, ExpectedVersion, LogQuery, Position,
    StreamId, async_run_pending_migrations,
};
use support::{Mysql, Postgres, Sqlite, TestDatabase};

#[test]
fn both_kinds_of_connections_append_to_one_stream() -> Result {
    let database = Sqlite::migrated()?;
    let conn = database.connect()?;
    let awaited = RUNTIME.block_on(async { SyncConnectionWrapper::new(conn) });
    take_turns(database.connect()?, awaited)
}

#[test]
fn both_kinds_of_connections_append_to_one_stream_postgres() -> Result {
    let database = Postgres::migrated()?;
    let awaited = RUNTIME.block_on(AsyncPgConnection::establish(&database.url()))?;
    take_turns(database.connect()?, awaited)
}

#[test]
fn both_kinds_of_connections_append_to_one_stream_mysql() -> Result {
    let database = Mysql::migrated()?;
    let awaited = RUNTIME.block_on(AsyncMysqlConnection::establish(&database.url()))?;
    take_turns(database.connect()?, awaited)
}

fn take_turns(mut blocking: impl EventConnection, mut awaited: impl AsyncEventConnection) -> Result {
    let (store, async_store) = (EventStore::new(), AsyncEventStore::new());
    let alice = StreamId::new("User", "alice")?;
    assert!(RUNTIME.block_on(async_run_pending_migrations(&mut awaited))?.is_empty());
    for version in [0, 4, 8] {
        store.append(&mut blocking, &alice, ExpectedVersion::Exact(version), &counted(2)?)?;
        let next = ExpectedVersion::Exact(version + 2);
        RUNTIME.block_on(async_store.append(&mut awaited, &alice, next, &counted(2)?))?;
    }
    let log = LogQuery::after(Position::START);
    let seen = RUNTIME.block_on(async_store.read_log(&mut awaited, &log, 100))?;
    assert_eq!(seen.events(), store.read_log(&mut blocking, &log, 100)?.events());
    assert_eq!(versions(seen.events()), (1..=12).collect::<Vec<_>>());
    Ok(())
}
