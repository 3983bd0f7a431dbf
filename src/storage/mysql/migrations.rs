use std::time::{Duration, Instant};

use diesel::dsl::{exists, sql};
use diesel::migration::CREATE_MIGRATIONS_TABLE;
use diesel::mysql::Mysql;
use diesel::prelude::{QueryDsl, QueryableByName};
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use super::error::{existing, is_missing_table, lock_timeout};
use super::galera::is_galera;
use super::outside::is_outside_transactions;
use crate::schema::mysql::events;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::executor::Executor;
use crate::storage::give_up::Guard;
use crate::storage::lent;
use crate::storage::migrations::{MigrationError, Migrations, Source};
use crate::storage::refused::Refused;
use crate::storage::server::Server;
use crate::storage::sql::migrations::{SelectApplied, ServerSource};

/// The migrations for MySQL and MariaDB, for an application that runs them with a `MigrationHarness` of its
/// own or joins them with its own source. [`run_pending_migrations`](crate::run_pending_migrations) is the
/// usual way.
///
/// ```no_run
/// use diesel::prelude::*;
/// use diesel_event_store::mysql::MIGRATIONS;
/// use diesel_migrations::MigrationHarness;
///
/// let mut conn = MysqlConnection::establish("mysql://root@127.0.0.1/shop").unwrap();
/// conn.run_pending_migrations(MIGRATIONS).unwrap();
/// ```
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/mysql");

/// The first of them, which makes the tables.
const FIRST: &str = "00000000000100des";

/// So that what is dropped comes before what it refers to.
const TABLES: [&str; 11] = [
    "event_log",
    "event_fence",
    "event_seals",
    "parked_events",
    "projection_workers",
    "projection_checkpoints",
    "snapshots",
    "append_keys",
    "aggregate_heads",
    "event_rewrites",
    "events",
];

/// The one that is created first and dropped last.
const FIRST_TABLE: &str = "events";

/// The comment by which this crate's tables are recognised.
const COMMENT: &str = "diesel_event_store";

/// How long to wait for another connection that migrates.
const PATIENCE: Duration = Duration::from_secs(60);

/// Before another look at what another node does.
const PAUSE: Duration = Duration::from_millis(100);

/// Both have names of one kind.
const KIND: &str = "table or view";

const SOURCE: ServerSource = ServerSource {
    source: Source { migrations: MIGRATIONS, existing },
    sql: &[(FIRST, include_str!("../../../migrations/mysql/00000000000100-des_create_event_store/up.sql"))],
};

impl<C: Server<Backend = Mysql>> Migrations for lent::Mysql<'_, C> {
    async fn run_pending_migrations(&mut self) -> Result<Vec<String>, MigrationError> {
        run_pending(self.0).await
    }
}

/// CREATE TABLE commits, so there is no transaction around all this: an open one is refused, others are kept
/// out by a lock, and what was made in vain is dropped.
async fn run_pending<C: Server<Backend = Mysql>>(conn: &mut C) -> Result<Vec<String>, MigrationError> {
    let is_outside = is_outside_transactions(conn).await?;
    if pending(conn).await?.is_empty() {
        return Ok(Vec::new());
    }
    if !is_outside {
        return Err(MigrationError::InTransaction);
    }
    refuse_replication_by_statement(conn).await?;
    // For as long as the connection is open, a lock that is left behind would keep others out.
    let mut conn = Guard::new(conn);
    let outcome = run_alone(&mut *conn).await;
    conn.disarm();
    outcome
}

/// An append alone runs in READ COMMITTED, whose statements InnoDB does not write to a log of statements.
async fn refuse_replication_by_statement<C>(conn: &mut C) -> QueryResult<()>
where
    C: Executor<Backend = Mysql>,
{
    let by_statement = sql::<BigInt>("@@log_bin AND @@binlog_format = 'STATEMENT'");
    match conn.row::<_, i64>(diesel::select(by_statement)).await? {
        0 => Ok(()),
        _ => Err(Refused::error(DatabaseErrorKind::UnsuitableSetting, "binlog_format is STATEMENT")),
    }
}

async fn run_alone<C: Server<Backend = Mysql>>(conn: &mut C) -> Result<Vec<String>, MigrationError> {
    lock(conn).await?;
    let outcome = run_locked(conn).await;
    // If it cannot be released, the connection is gone, and the lock with it.
    let _ = conn.batch(&format!("DO RELEASE_LOCK({LOCK})")).await;
    outcome
}

async fn run_locked<C: Server<Backend = Mysql>>(conn: &mut C) -> Result<Vec<String>, MigrationError> {
    if is_galera(conn).await? { run_on_a_node(conn).await } else { run_on_a_server(conn).await }
}

async fn run_on_a_server<C>(conn: &mut C) -> Result<Vec<String>, MigrationError>
where
    C: Server<Backend = Mysql>,
{
    conn.batch(CREATE_MIGRATIONS_TABLE).await?;
    // Another connection may have applied them while this one waited.
    let pending = pending(conn).await?;
    if !begins(&pending) {
        return apply(conn, pending).await;
    }
    make_room(conn).await?;
    let outcome = apply(conn, pending).await;
    if outcome.is_err() {
        // If that fails, too, the next run recognises them as leftovers.
        let _ = drop_tables(conn).await;
    }
    outcome
}

/// Without autocommit, what says that they are applied is still to be committed.
async fn apply<C: Server<Backend = Mysql>>(
    conn: &mut C,
    pending: Vec<String>,
) -> Result<Vec<String>, MigrationError> {
    let applied = SOURCE.apply(conn, pending).await?;
    conn.batch("COMMIT").await?;
    Ok(applied)
}

/// Whether there is nothing yet.
fn begins(pending: &[String]) -> bool {
    pending.iter().any(|version| version == FIRST)
}

/// The lock is this node's alone. But statements that create are given one order in the whole cluster: of
/// several nodes, one creates the first table, and the others find it there. They wait until that one is
/// done, and drop nothing. Any statement of theirs can be ended for the sake of one that comes from another
/// node: then they look again.
async fn run_on_a_node<C: Server<Backend = Mysql>>(conn: &mut C) -> Result<Vec<String>, MigrationError> {
    let begin = Instant::now();
    loop {
        match migrate_on_a_node(conn).await {
            Ok(Some(applied)) => return Ok(applied),
            Ok(None) if begin.elapsed() > PATIENCE => {
                return Err(MigrationError::TableExists {
                    table: FIRST_TABLE.to_owned(),
                    kind: KIND.to_owned(),
                });
            }
            Err(error) if !error.is_retryable() || begin.elapsed() > PATIENCE => return Err(error),
            Ok(None) | Err(_) => conn.pause(PAUSE).await,
        }
    }
}

/// `None` if another node is creating the tables.
async fn migrate_on_a_node<C>(conn: &mut C) -> Result<Option<Vec<String>>, MigrationError>
where
    C: Server<Backend = Mysql>,
{
    let pending = pending(conn).await?;
    if !begins(&pending) {
        return apply(conn, pending).await.map(Some);
    }
    let tables = tables(conn).await?;
    match foreign_table(&tables) {
        Some(foreign) => Err(foreign),
        None if tables.is_empty() => create_first(conn, pending).await,
        None => Ok(None),
    }
}

/// The node that has come further than to the first table is the one that creates, and may drop.
async fn create_first<C>(conn: &mut C, pending: Vec<String>) -> Result<Option<Vec<String>>, MigrationError>
where
    C: Server<Backend = Mysql>,
{
    conn.batch(CREATE_MIGRATIONS_TABLE).await?;
    match apply(conn, pending).await {
        Ok(applied) => Ok(Some(applied)),
        Err(error) if is_first_table(&error) => Ok(None),
        Err(error) => drop_on_a_node(conn).await.and(Err(error)),
    }
}

/// No other node would drop them.
async fn drop_on_a_node<C: Server<Backend = Mysql>>(conn: &mut C) -> Result<(), MigrationError> {
    for _ in 0..10 {
        match drop_tables(conn).await.map_err(MigrationError::from) {
            Err(error) if error.is_retryable() => conn.pause(PAUSE).await,
            outcome => return outcome,
        }
    }
    Ok(drop_tables(conn).await?)
}

fn is_first_table(error: &MigrationError) -> bool {
    matches!(error, MigrationError::TableExists { table, .. } if table == FIRST_TABLE)
}

/// What the database's own table does not have yet. To ask diesel would make that table, and commit.
async fn pending<C: Executor<Backend = Mysql>>(conn: &mut C) -> Result<Vec<String>, MigrationError> {
    let applied = match conn.rows(SelectApplied).await {
        Err(error) if is_missing_table(&error) => Vec::new(),
        versions => versions?,
    };
    SOURCE.pending::<Mysql>(applied)
}

const LOCK: &str = "CONCAT('diesel_event_store ', LEFT(SHA2(DATABASE(), 256), 32))";

async fn lock<C: Executor<Backend = Mysql>>(conn: &mut C) -> QueryResult<()> {
    let get_lock = format!("GET_LOCK({LOCK}, {})", PATIENCE.as_secs());
    match conn.row(diesel::select(sql::<Nullable<BigInt>>(&get_lock))).await? {
        Some(1_i64) => Ok(()),
        _ => Err(lock_timeout("another connection is applying the migrations")),
    }
}

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    comment: String,
}

/// Refuses tables of the application that have a name of this crate's, and drops what an interrupted run has
/// left.
async fn make_room<C: Server<Backend = Mysql>>(conn: &mut C) -> Result<(), MigrationError> {
    let tables = tables(conn).await?;
    if let Some(foreign) = foreign_table(&tables) {
        return Err(foreign);
    }
    if has_events(conn, &tables).await? {
        return Err(MigrationError::TableExists { table: "events".to_owned(), kind: KIND.to_owned() });
    }
    Ok(drop_tables(conn).await?)
}

/// The tables that have a name of this crate's.
async fn tables<C: Executor<Backend = Mysql>>(conn: &mut C) -> QueryResult<Vec<Table>> {
    let names = TABLES.map(|name| format!("'{name}'")).join(", ");
    let most = TABLES.len();
    let with_names = diesel::sql_query(format!(
        "SELECT table_name AS name, table_comment AS comment FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_name IN ({names}) LIMIT {most}"
    ));
    conn.rows(with_names).await
}

fn foreign_table(tables: &[Table]) -> Option<MigrationError> {
    let foreign = tables.iter().find(|table| table.comment != COMMENT)?;
    Some(MigrationError::TableExists { table: foreign.name.clone(), kind: KIND.to_owned() })
}

async fn has_events<C: Executor<Backend = Mysql>>(conn: &mut C, tables: &[Table]) -> QueryResult<bool> {
    if !tables.iter().any(|table| table.name == "events") {
        return Ok(false);
    }
    conn.row(diesel::select(exists(events::table.select(sql::<BigInt>("1"))))).await
}

async fn drop_tables<C: Server<Backend = Mysql>>(conn: &mut C) -> QueryResult<()> {
    conn.batch(&format!("DROP TABLE IF EXISTS {}", TABLES.join(", "))).await
}
