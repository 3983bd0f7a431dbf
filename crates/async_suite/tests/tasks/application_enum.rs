use async_suite::{AsyncMysql, AsyncPostgres, AsyncSqlite, RUNTIME, Result, TestDatabase, counted};
use diesel::SqliteConnection;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncMysqlConnection, AsyncPgConnection};
use real::{AsyncEventStore, ExpectedVersion, StreamId, async_event_connection};

enum AppConnection {
    Sqlite(SyncConnectionWrapper<SqliteConnection>),
    Postgres(Box<AsyncPgConnection>),
    Mysql(Box<AsyncMysqlConnection>),
}

async_event_connection!(AppConnection { Sqlite, Postgres, Mysql });

#[test]
fn an_enum_lends_the_connection_it_holds() -> Result {
    let database = AsyncSqlite::migrated()?;
    work(AppConnection::Sqlite(database.connect()?.into_inner()))
}

#[test]
fn an_enum_lends_the_connection_it_holds_postgres() -> Result {
    let database = AsyncPostgres::migrated()?;
    work(AppConnection::Postgres(Box::new(database.connect()?.into_inner())))
}

#[test]
fn an_enum_lends_the_connection_it_holds_mysql() -> Result {
    let database = AsyncMysql::migrated()?;
    work(AppConnection::Mysql(Box::new(database.connect()?.into_inner())))
}

fn work(mut conn: AppConnection) -> Result {
    let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    let version = RUNTIME.block_on(async {
        store.append(&mut conn, &alice, ExpectedVersion::NoStream, &counted(2)?).await?;
        Ok::<_, real::Error>(store.version(&mut conn, &alice).await?)
    })?;
    assert_eq!(version, 2);
    Ok(())
}
