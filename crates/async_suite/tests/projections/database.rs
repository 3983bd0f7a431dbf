use std::time::Duration;

use async_suite::RUNTIME;
use diesel::SqliteConnection;
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, AsyncMysqlConnection, AsyncPgConnection};
use real::AsyncEventConnection;
use real::sqlite::Options;
use support::{Mysql, Postgres, Result, Sqlite, TestDatabase};

/// A database, and both kinds of connections to it.
pub trait Database: TestDatabase {
    type Awaited: PoolableConnection + AsyncEventConnection + 'static;

    fn open(&self) -> impl Future<Output = Result<Self::Awaited>> + Send;

    /// One that does not wait for long. A runtime that is shut down waits for what its connections do, also
    /// for the write lock of SQLite, which a task may hold that is still to be dropped.
    fn open_impatient(&self) -> impl Future<Output = Result<Self::Awaited>> + Send {
        self.open()
    }

    fn open_now(&self) -> Result<Self::Awaited> {
        RUNTIME.block_on(self.open())
    }
}

impl Database for Postgres {
    type Awaited = AsyncPgConnection;

    async fn open(&self) -> Result<AsyncPgConnection> {
        Ok(AsyncPgConnection::establish(&self.url()).await?)
    }
}

impl Database for Mysql {
    type Awaited = AsyncMysqlConnection;

    async fn open(&self) -> Result<AsyncMysqlConnection> {
        Ok(AsyncMysqlConnection::establish(&self.url()).await?)
    }
}

impl Database for Sqlite {
    type Awaited = SyncConnectionWrapper<SqliteConnection>;

    async fn open(&self) -> Result<Self::Awaited> {
        Ok(SyncConnectionWrapper::new(self.connect()?))
    }

    async fn open_impatient(&self) -> Result<Self::Awaited> {
        let mut conn = self.connect()?;
        Options::default().busy_timeout(Duration::from_millis(500)).apply(&mut conn)?;
        Ok(SyncConnectionWrapper::new(conn))
    }
}

/// One test for each database.
macro_rules! on_each_database {
    ($($test:ident: $postgres:ident, $mysql:ident;)+) => {
        $(
            mod $test {
                #[test]
                fn sqlite() -> support::Result {
                    super::$test::<support::Sqlite>()
                }
            }

            #[test]
            fn $postgres() -> support::Result {
                $test::<support::Postgres>()
            }

            #[test]
            fn $mysql() -> support::Result {
                $test::<support::Mysql>()
            }
        )+
    };
}

pub(crate) use on_each_database;
