use diesel::pg::{Pg, PgConnection};
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryResult, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use super::all_or_nothing::{begin, end};
use super::error::existing;
use crate::storage::blocking::now;
use crate::storage::lent::Postgres;
use crate::storage::migrations::{MigrationError, Migrations, Source};
use crate::storage::sql::statement::statement;

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

const SOURCE: Source = Source { migrations: MIGRATIONS, existing };

impl Migrations for Postgres<'_, PgConnection> {
    fn run_pending_migrations(&mut self) -> Result<Vec<String>, MigrationError> {
        let depth = now(begin(self.0))?;
        let outcome = apply_pending(self.0);
        now(end(self.0, depth, outcome)).map_err(|error| name_kind(self.0, error))
    }
}

fn apply_pending(conn: &mut PgConnection) -> Result<Vec<String>, MigrationError> {
    // To ask what is pending makes diesel's own table if it is missing, at which two processes that start
    // would collide.
    lock(conn)?;
    if SOURCE.pending(conn)?.is_empty() {
        return Ok(Vec::new());
    }
    refuse_encoding(conn)?;
    SOURCE.apply_pending(conn)
}

/// Waits until no other connection migrates, and keeps others out until the transaction ends.
fn lock(conn: &mut PgConnection) -> QueryResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
        .bind::<BigInt, _>(MIGRATION_LOCK)
        .execute(conn)
        .map(drop)
}

statement! {
    for Pg;
    ServerEncoding -> Text,
    "SELECT current_setting('server_encoding')"
}

fn refuse_encoding(conn: &mut PgConnection) -> Result<(), MigrationError> {
    match ServerEncoding.get_result::<String>(conn)? {
        encoding if encoding == "UTF8" => Ok(()),
        encoding => Err(MigrationError::Encoding { encoding }),
    }
}

statement! {
    for Pg;
    KindOfRelation<'a> { name: &'a str => Text } -> Text,
    "SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'f' THEN 'foreign table' \
     WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'type' \
     ELSE 'index' END \
     FROM pg_class WHERE oid = to_regclass(quote_ident(?))"
}

/// PostgreSQL calls a relation whatever has rows, or an order.
fn name_kind(conn: &mut PgConnection, error: MigrationError) -> MigrationError {
    match error {
        MigrationError::TableExists { table, kind } if kind == "relation" => {
            let kind = KindOfRelation { name: &table }.get_result(conn).unwrap_or(kind);
            MigrationError::TableExists { table, kind }
        }
        error => error,
    }
}
