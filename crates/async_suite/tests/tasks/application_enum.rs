use async_suite::{AsyncPostgres, AsyncSqlite, RUNTIME, Result, TestDatabase, counted};
use diesel::SqliteConnection;
use diesel_async::AsyncPgConnection;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use real::{AsyncEventStore, ExpectedVersion, StreamId, async_event_connection};

enum AppConnection {
    Sqlite(SyncConnectionWrapper<SqliteConnection>),
    Postgres(Box<AsyncPgConnection>),
}

async_event_connection!(AppConnection { Sqlite, Postgres });

#[test]
fn an_enum_lends_the_connection_it_holds_postgres() -> Result {
    let (sqlite, postgres) = (AsyncSqlite::migrated()?, AsyncPostgres::migrated()?);
    let connections = [
        AppConnection::Sqlite(sqlite.connect()?.into_inner()),
        AppConnection::Postgres(Box::new(postgres.connect()?.into_inner())),
    ];
    let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    for mut conn in connections {
        let version = RUNTIME.block_on(async {
            store.append(&mut conn, &alice, ExpectedVersion::NoStream, &counted(2)?).await?;
            Ok::<_, real::Error>(store.version(&mut conn, &alice).await?)
        })?;
        assert_eq!(version, 2);
    }
    Ok(())
}
