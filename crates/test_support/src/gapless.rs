use diesel_event_store::{EventStore, LogOrdering, run_pending_migrations};

use crate::{Result, TestDatabase};

/// A database that counts positions in a row.
pub struct Gapless<D> {
    database: D,
}

impl<D: TestDatabase> TestDatabase for Gapless<D> {
    type Conn = D::Conn;
    const CREATING_COMMITS: bool = D::CREATING_COMMITS;

    fn create() -> Result<Self> {
        Ok(Self { database: D::create()? })
    }

    fn url(&self) -> String {
        self.database.url()
    }

    fn connect(&self) -> Result<D::Conn> {
        self.database.connect()
    }

    fn migrated() -> Result<Self> {
        let database = Self::create()?;
        let mut conn = database.connect()?;
        run_pending_migrations(&mut conn)?;
        EventStore::new().set_log_ordering(&mut conn, LogOrdering::Gapless)?;
        Ok(database)
    }
}
