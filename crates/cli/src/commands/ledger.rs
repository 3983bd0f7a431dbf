//! Which migrations the database has.

use diesel::backend::Backend;
use diesel::migration::MigrationSource;
use diesel_event_store::{DatabaseError, DatabaseErrorKind};

use super::ask::ask_all;
use crate::database::Database;
use crate::failure::{Failure, Result};

/// diesel's, which the application's own migrations are in, too.
const TABLE: &str = "__diesel_schema_migrations";

/// The versions of the event store's migrations, in their order.
pub struct Ledger {
    /// None if they may not be read.
    applied: Option<Vec<String>>,
    known: Vec<String>,
}

impl Ledger {
    pub fn of(conn: &mut Database) -> Result<Self> {
        Ok(Self { applied: applied(conn)?, known: known(conn)? })
    }

    pub fn newest(&self) -> Option<&str> {
        self.applied.as_ref()?.last().map(String::as_str)
    }

    /// That which this command does not know.
    pub fn newer(&self) -> Option<&str> {
        self.newest().filter(|newest| !self.known.iter().any(|known| known == newest))
    }

    /// What this command knows and the database does not have.
    pub fn pending(&self) -> Vec<&str> {
        let Some(applied) = &self.applied else { return Vec::new() };
        self.known.iter().filter(|known| !applied.contains(known)).map(String::as_str).collect()
    }
}

fn applied(conn: &mut Database) -> Result<Option<Vec<String>>> {
    let rows = format!("FROM {TABLE} WHERE version LIKE '00000000______des' ORDER BY version");
    match ask_all(conn, "version", &rows).map_err(DatabaseError::from) {
        Ok(applied) => Ok(Some(applied)),
        Err(error) if error.kind() == DatabaseErrorKind::NotPermitted => Ok(None),
        // Every database names the table that is not there.
        Err(error) if error.diesel_error().to_string().contains(TABLE) => Ok(Some(Vec::new())),
        Err(error) => Err(error.into_diesel_error().into()),
    }
}

fn known(conn: &Database) -> Result<Vec<String>> {
    match conn {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => versions::<diesel::sqlite::Sqlite>(&diesel_event_store::sqlite::MIGRATIONS),
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => versions::<diesel::pg::Pg>(&diesel_event_store::postgres::MIGRATIONS),
        #[cfg(feature = "mysql")]
        Database::Mysql(_) => versions::<diesel::mysql::Mysql>(&diesel_event_store::mysql::MIGRATIONS),
    }
}

fn versions<DB: Backend>(source: &impl MigrationSource<DB>) -> Result<Vec<String>> {
    let migrations = source.migrations().map_err(|error| Failure::new("migrations", error))?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}
