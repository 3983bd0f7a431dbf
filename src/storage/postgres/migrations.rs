use diesel::migration::CREATE_MIGRATIONS_TABLE;
use diesel::pg::Pg;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use super::all_or_nothing::begin;
use super::error::existing;
use super::outside::refuse_foreign;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::executor::Executor;
use crate::storage::lent::Postgres;
use crate::storage::migrations::{MigrationError, Migrations, Source};
use crate::storage::refused::Refused;
use crate::storage::server::Server;
use crate::storage::sql::migrations::{SelectApplied, ServerSource};
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

/// With the SQL of each: `diesel_migrations` hands it only to connections that block.
const SOURCE: ServerSource = ServerSource {
    source: Source { migrations: MIGRATIONS, existing },
    sql: &[(
        "00000000000100des",
        include_str!("../../../migrations/postgres/00000000000100-des_create_event_store/up.sql"),
    )],
};

impl<C: Server<Backend = Pg>> Migrations for Postgres<'_, C> {
    async fn run_pending_migrations(&mut self) -> Result<Vec<String>, MigrationError> {
        refuse_foreign(self.0).await?;
        if is_up_to_date(self.0).await? {
            return Ok(Vec::new());
        }
        let mut open = begin(self.0).await?;
        let outcome = apply_pending(&mut *open.conn).await;
        match open.end(outcome).await {
            Ok(applied) => Ok(applied),
            Err(error) => Err(name_kind(self.0, error).await),
        }
    }
}

statement! {
    for Pg;
    /// Whether diesel's own table is where it would be created.
    HasLedger -> Bool,
    "SELECT to_regclass(quote_ident(current_schema()) || '.__diesel_schema_migrations') IS NOT NULL"
}

/// Only reads: most starts find nothing to do, and a role that may create nothing, or a standby, has to learn
/// so, too. PostgreSQL asks for the privilege before it finds out that a table exists.
async fn is_up_to_date<C: Executor<Backend = Pg>>(conn: &mut C) -> Result<bool, MigrationError> {
    if !conn.row(HasLedger).await? {
        return Ok(false);
    }
    Ok(SOURCE.pending::<Pg>(conn.rows(SelectApplied).await?)?.is_empty())
}

async fn apply_pending<C: Server<Backend = Pg>>(conn: &mut C) -> Result<Vec<String>, MigrationError> {
    // To ask what is pending makes diesel's own table if it is missing, at which two processes that start
    // would collide.
    conn.execute(Lock { key: MIGRATION_LOCK }).await?;
    conn.batch(CREATE_MIGRATIONS_TABLE).await?;
    let pending = SOURCE.pending::<Pg>(conn.rows(SelectApplied).await?)?;
    if !pending.is_empty() {
        refuse_encoding(conn).await?;
        refuse_old_snapshot(conn).await?;
    }
    SOURCE.apply(conn, pending).await
}

statement! {
    for Pg;
    /// Waits until no other connection migrates, and keeps others out until the transaction ends.
    Lock { key: i64 => BigInt },
    "SELECT pg_advisory_xact_lock(?)"
}

statement! {
    for Pg;
    ServerEncoding -> Text,
    "SELECT current_setting('server_encoding')"
}

async fn refuse_encoding<C: Executor<Backend = Pg>>(conn: &mut C) -> Result<(), MigrationError> {
    let encoding: String = conn.row(ServerEncoding).await?;
    if encoding == "UTF8" { Ok(()) } else { Err(MigrationError::Encoding { encoding }) }
}

statement! {
    for Pg;
    Isolation -> Text,
    "SELECT current_setting('transaction_isolation')"
}

/// What another connection has applied while this one waited would not be seen in it.
async fn refuse_old_snapshot<C: Executor<Backend = Pg>>(conn: &mut C) -> QueryResult<()> {
    let isolation: String = conn.row(Isolation).await?;
    if isolation.starts_with("read ") {
        return Ok(());
    }
    let reason = format!("migrations are applied in READ COMMITTED; this transaction is in {isolation}");
    Err(Refused::error(DatabaseErrorKind::UnsuitableSetting, reason))
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
async fn name_kind<C: Executor<Backend = Pg>>(conn: &mut C, error: MigrationError) -> MigrationError {
    match error {
        MigrationError::TableExists { table, kind } if kind == "relation" => {
            let kind = conn.row(KindOfRelation { name: &table }).await.unwrap_or(kind);
            MigrationError::TableExists { table, kind }
        }
        error => error,
    }
}
