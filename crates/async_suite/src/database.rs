use diesel::{Connection, SqliteConnection};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncMysqlConnection, AsyncPgConnection};
use support::{Mysql, Postgres, Result, Sqlite, TestDatabase as _};

use crate::block_on::block_on;
use crate::connection::{Blocking, EventConnection};
use crate::store::run_pending_migrations;

/// Stands for the trait of that name.
pub trait TestDatabase: Sized + Send + Sync + 'static {
    type Conn: EventConnection + Connection + 'static;

    const CREATING_COMMITS: bool = false;

    fn create() -> Result<Self>;

    fn url(&self) -> String;

    fn connect(&self) -> Result<Self::Conn>;

    fn migrated() -> Result<Self> {
        let database = Self::create()?;
        run_pending_migrations(&mut database.connect()?)?;
        Ok(database)
    }
}

/// PostgreSQL, without libpq.
pub struct AsyncPostgres(Postgres);

impl TestDatabase for AsyncPostgres {
    type Conn = Blocking<AsyncPgConnection>;

    fn create() -> Result<Self> {
        Ok(Self(Postgres::create()?))
    }

    fn url(&self) -> String {
        self.0.url()
    }

    fn connect(&self) -> Result<Self::Conn> {
        Ok(Self::Conn::establish(&self.0.url())?)
    }
}

/// MySQL or MariaDB, without a client library.
pub struct AsyncMysql(Mysql);

impl TestDatabase for AsyncMysql {
    type Conn = Blocking<AsyncMysqlConnection>;
    const CREATING_COMMITS: bool = true;

    fn create() -> Result<Self> {
        Ok(Self(Mysql::create()?))
    }

    fn url(&self) -> String {
        self.0.url()
    }

    fn connect(&self) -> Result<Self::Conn> {
        Ok(Self::Conn::establish(&self.0.url())?)
    }
}

/// SQLite, on the threads of the runtime.
pub struct AsyncSqlite(Sqlite);

impl TestDatabase for AsyncSqlite {
    type Conn = Blocking<SyncConnectionWrapper<SqliteConnection>>;

    fn create() -> Result<Self> {
        Ok(Self(Sqlite::create()?))
    }

    fn url(&self) -> String {
        self.0.url()
    }

    fn connect(&self) -> Result<Self::Conn> {
        let conn = self.0.connect()?;
        Ok(block_on(async { SyncConnectionWrapper::new(conn) }).into())
    }
}
