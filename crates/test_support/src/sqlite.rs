//! SQLite, in a temporary folder.

use diesel::prelude::*;
use diesel_event_store::sqlite::Options;
use tempfile::TempDir;

use crate::{LONG, Result, TestDatabase};

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
        // However busy the machine is, a writer gets its turn.
        Options::default().busy_timeout(LONG).apply(&mut conn)?;
        Ok(conn)
    }
}
