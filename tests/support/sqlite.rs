//! SQLite through each kind of connection that an application may hold.

use diesel::prelude::*;
#[cfg(feature = "r2d2")]
use diesel::r2d2::{ConnectionManager, Pool, PooledConnection};
use diesel_event_store::event_connection;
use diesel_event_store::sqlite::Options;
use tempfile::TempDir;

use super::{Result, TestDatabase};

/// Through diesel's own connection.
pub struct Sqlite {
    folder: TempDir,
}

impl TestDatabase for Sqlite {
    type Conn = SqliteConnection;

    fn create() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    fn connect(&self) -> Result<SqliteConnection> {
        let mut conn = SqliteConnection::establish(&file_in(&self.folder))?;
        Options::default().apply(&mut conn)?;
        Ok(conn)
    }
}

/// Through a connection of an r2d2 pool.
#[cfg(feature = "r2d2")]
pub struct PooledSqlite {
    pool: Pool<ConnectionManager<SqliteConnection>>,
    _folder: TempDir,
}

#[cfg(feature = "r2d2")]
impl TestDatabase for PooledSqlite {
    type Conn = PooledConnection<ConnectionManager<SqliteConnection>>;

    fn create() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let pool = Pool::builder()
            .max_size(16)
            .min_idle(Some(1))
            .connection_customizer(Box::new(Options::default()))
            .build(ConnectionManager::new(file_in(&folder)))?;
        Ok(Self { pool, _folder: folder })
    }

    fn connect(&self) -> Result<Self::Conn> {
        Ok(self.pool.get()?)
    }
}

/// Through an application's own choice of connections.
pub struct MultiSqlite {
    sqlite: Sqlite,
}

#[derive(diesel::MultiConnection)]
pub enum AppConnection {
    Sqlite(SqliteConnection),
}

event_connection!(AppConnection { Sqlite });

impl TestDatabase for MultiSqlite {
    type Conn = AppConnection;

    fn create() -> Result<Self> {
        Ok(Self { sqlite: Sqlite::create()? })
    }

    fn connect(&self) -> Result<AppConnection> {
        Ok(AppConnection::Sqlite(self.sqlite.connect()?))
    }
}

fn file_in(folder: &TempDir) -> String {
    folder.path().join("events.db").display().to_string()
}
