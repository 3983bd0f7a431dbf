use diesel::connection::Connection;
use diesel::pg::PgConnection;
use diesel::sql_types::BigInt;
use diesel::{QueryResult, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::storage::migrations::MigrationError;
use crate::storage::migrations::{apply_pending, pending};

/// The migrations for PostgreSQL, for an application that runs them with a `MigrationHarness` of its own or joins them with
/// its own source. [`run_pending_migrations`](crate::run_pending_migrations) is the usual way.
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

/// The advisory lock that only one may hold who migrates: `event_st` in bytes.
const MIGRATION_LOCK: i64 = i64::from_be_bytes(*b"event_st");

pub(super) fn run_pending(conn: &mut PgConnection) -> Result<Vec<String>, MigrationError> {
    conn.transaction(|conn| {
        // To ask what is pending makes diesel's own table if it is missing, at which two starters collide.
        lock(conn)?;
        if pending(conn, &MIGRATIONS)?.is_empty() {
            return Ok(Vec::new());
        }
        apply_pending(conn, &MIGRATIONS)
    })
}

/// Waits until nobody else migrates, and keeps others out until the transaction ends.
fn lock(conn: &mut PgConnection) -> QueryResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
        .bind::<BigInt, _>(MIGRATION_LOCK)
        .execute(conn)
        .map(drop)
}
