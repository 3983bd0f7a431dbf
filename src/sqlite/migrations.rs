use std::error::Error as StdError;

use diesel::migration::{Migration, MigrationSource};
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::error::existing_table;
use super::transaction::all_or_nothing;
use crate::error::MigrationError;
use crate::migrations::refuse_newer_schema;

/// The migrations for SQLite, for an application that runs them with a `MigrationHarness` of its own or joins them with
/// its own source. [`run_pending_migrations`](crate::run_pending_migrations) is the usual way.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::sqlite::MIGRATIONS;
/// use diesel_migrations::MigrationHarness;
///
/// let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// conn.run_pending_migrations(MIGRATIONS).unwrap();
/// assert!(!conn.has_pending_migration(MIGRATIONS).unwrap());
/// ```
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

pub(super) fn run_pending(conn: &mut SqliteConnection) -> Result<Vec<String>, MigrationError> {
    // Most starts find nothing to do: they must not wait for the write lock to learn so.
    if pending(conn)?.is_empty() {
        return Ok(Vec::new());
    }
    all_or_nothing(conn, |conn| {
        // Somebody else may have applied them while this one waited.
        let pending = pending(conn)?;
        let applied = conn.run_migrations(&pending).map_err(migration_error)?;
        Ok(applied.iter().map(ToString::to_string).collect())
    })
}

fn pending(conn: &mut SqliteConnection) -> Result<Vec<Box<dyn Migration<Sqlite>>>, MigrationError> {
    let ours = MigrationSource::<Sqlite>::migrations(&MIGRATIONS).map_err(migration_error)?;
    let applied = conn.applied_migrations().map_err(migration_error)?;
    refuse_newer_schema(&applied, |version| {
        ours.iter().any(|migration| migration.name().version() == *version)
    })?;
    Ok(ours
        .into_iter()
        .filter(|migration| !applied.contains(&migration.name().version().as_owned()))
        .collect())
}

fn migration_error(error: Box<dyn StdError + Send + Sync>) -> MigrationError {
    match error.downcast::<Error>() {
        Ok(error) => MigrationError::from(*error),
        Err(error) => run_error(error),
    }
}

/// `diesel_migrations` passes on what a migration's SQL has met with as text only: `Failed to run NAME with: MESSAGE`.
fn run_error(error: Box<dyn StdError + Send + Sync>) -> MigrationError {
    let text = error.to_string();
    let Some((_, message)) = text.split_once(" with: ") else { return MigrationError::Migration(error) };
    match existing_table(message) {
        Some(table) => MigrationError::TableExists { table: table.to_owned() },
        None => Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned())).into(),
    }
}
