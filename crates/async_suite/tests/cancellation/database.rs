use async_suite::{
    AsyncMysql, AsyncPostgres, AsyncSqlite, EventConnection, Result, TestDatabase, create_app_rows,
};
use diesel::SqliteConnection;
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncMysqlConnection, AsyncPgConnection};
use real::AsyncEventConnection;

/// A database, and the asynchronous connections to it.
pub trait Database: TestDatabase {
    type Awaited: PoolableConnection + AsyncEventConnection + 'static;

    fn open(&self) -> Result<Self::Awaited>;

    /// With the application's table.
    fn of_an_application() -> Result<Self> {
        let database = Self::migrated()?;
        create_app_rows(&mut database.connect()?)?;
        Ok(database)
    }
}

impl Database for AsyncPostgres {
    type Awaited = AsyncPgConnection;

    fn open(&self) -> Result<AsyncPgConnection> {
        Ok(self.connect()?.into_inner())
    }
}

impl Database for AsyncMysql {
    type Awaited = AsyncMysqlConnection;

    fn open(&self) -> Result<AsyncMysqlConnection> {
        Ok(self.connect()?.into_inner())
    }
}

impl Database for AsyncSqlite {
    type Awaited = SyncConnectionWrapper<SqliteConnection>;

    fn open(&self) -> Result<Self::Awaited> {
        Ok(self.connect()?.into_inner())
    }
}

/// What the connection of a test is once it blocks.
pub trait Witness: EventConnection {}

impl<C: EventConnection> Witness for C {}
