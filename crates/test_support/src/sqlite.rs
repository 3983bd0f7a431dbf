//! SQLite, in a temporary folder.

use diesel::prelude::*;
use diesel_event_store::sqlite::Options;
use tempfile::TempDir;

use crate::{Result, TestDatabase};

/// Through diesel's own connection.
pub struct Sqlite {
    folder: TempDir,
}

impl TestDatabase for Sqlite {
    type Conn = SqliteConnection;

    fn create() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    fn url(&self) -> String {
        self.folder.path().join("events.db").display().to_string()
    }

    fn connect(&self) -> Result<SqliteConnection> {
        let mut conn = SqliteConnection::establish(&self.url())?;
        Options::default().apply(&mut conn)?;
        Ok(conn)
    }
}
