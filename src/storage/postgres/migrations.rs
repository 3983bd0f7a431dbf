use diesel::connection::Connection;
use diesel::pg::PgConnection;
use diesel::sql_types::BigInt;
use diesel::{QueryResult, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use super::error::existing_table;
use crate::storage::lent::Postgres;
use crate::storage::migrations::{MigrationError, Migrations, Source};

/// The migrations for PostgreSQL, for an application that runs them with a `MigrationHarness` of its own or
/// joins them with its own source. [`run_pending_migrations`](crate::run_pending_migrations) is the usual
/// way.
///
/// ```no_run
/// use diesel::prelude::*;
/// use diesel_event_store::postgres::MIGRATIONS;
/// use diesel_migrations::MigrationHarness;
///
/// let mut conn = PgConnection::establish("postgres://localhost/shop").unwrap();
/// conn.run_pending_migrations(MIGRATIONS).unwrap();
/// ```
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The advisory lock that a connection holds while it migrates: `event_st` in bytes.
const MIGRATION_LOCK: i64 = i64::from_be_bytes(*b"event_st");

const SOURCE: Source = Source { migrations: MIGRATIONS, existing_table };

impl Migrations for Postgres<'_, PgConnection> {
    fn run_pending_migrations(&mut self) -> Result<Vec<String>, MigrationError> {
        self.0.transaction(|conn| {
            // To ask what is pending makes diesel's own table if it is missing, at which two processes that
            // start would collide.
            lock(conn)?;
            if SOURCE.pending(conn)?.is_empty() {
                return Ok(Vec::new());
            }
            SOURCE.apply_pending(conn)
        })
    }
}

/// Waits until no other connection migrates, and keeps others out until the transaction ends.
fn lock(conn: &mut PgConnection) -> QueryResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
        .bind::<BigInt, _>(MIGRATION_LOCK)
        .execute(conn)
        .map(drop)
}
