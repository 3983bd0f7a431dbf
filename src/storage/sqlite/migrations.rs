use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use super::transaction::all_or_nothing;
use crate::storage::migrations::MigrationError;
use crate::storage::migrations::{apply_pending, pending};

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
    if pending(conn, &MIGRATIONS)?.is_empty() {
        return Ok(Vec::new());
    }
    all_or_nothing(conn, |conn| apply_pending(conn, &MIGRATIONS))
}
