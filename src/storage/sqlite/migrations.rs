use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use super::error::existing;
use super::transactions::all_or_nothing;
use crate::storage::lent::Sqlite;
use crate::storage::migrations::{MigrationError, Migrations, Source};

/// The migrations for SQLite, for an application that runs them with a `MigrationHarness` of its own or joins
/// them with its own source. [`run_pending_migrations`](crate::run_pending_migrations) is the usual way.
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

const SOURCE: Source = Source { migrations: MIGRATIONS, existing };

impl Migrations for Sqlite<'_> {
    async fn run_pending_migrations(&mut self) -> Result<Vec<String>, MigrationError> {
        // Most starts find nothing to do: they must not wait for the write lock to learn so.
        if SOURCE.pending(self.0)?.is_empty() {
            return Ok(Vec::new());
        }
        all_or_nothing(self.0, |conn| SOURCE.apply_pending(conn))
    }
}
