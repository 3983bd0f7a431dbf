use std::thread;
use std::time::{Duration, Instant};

use diesel::dsl::{exists, sql};
use diesel::migration::{Migration, MigrationConnection, MigrationVersion};
use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use super::error::{existing, is_missing_table, lock_timeout};
use super::galera::is_galera;
use super::outside::is_outside_transactions;
use crate::schema::mysql::events;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::lent;
use crate::storage::migrations::{MigrationError, Migrations, Source};
use crate::storage::now::now;
use crate::storage::refused::Refused;

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
const TABLES: [&str; 9] = [
    "event_log",
    "event_fence",
    "parked_events",
    "projection_workers",
    "projection_checkpoints",
    "snapshots",
    "append_keys",
    "aggregate_heads",
    "events",
];

/// The one that is created first and dropped last.
const FIRST_TABLE: &str = "events";

/// The comment by which this crate's tables are recognised.
const COMMENT: &str = "diesel_event_store";

/// How long to wait for another connection that migrates.
const PATIENCE: Duration = Duration::from_secs(60);

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// Both have names of one kind.
const KIND: &str = "table or view";

const SOURCE: Source = Source { migrations: MIGRATIONS, existing };

impl Migrations for lent::Mysql<'_, MysqlConnection> {
    async fn run_pending_migrations(&mut self) -> Result<Vec<String>, MigrationError> {
        run_pending(self.0)
    }
}

/// CREATE TABLE commits, so there is no transaction around all this: an open one is refused, others are kept
/// out by a lock, and what was made in vain is dropped.
fn run_pending(conn: &mut MysqlConnection) -> Result<Vec<String>, MigrationError> {
    let is_outside = now(is_outside_transactions(conn))?;
    if SOURCE.not_applied::<Mysql>(&applied(conn)?)?.is_empty() {
        return Ok(Vec::new());
    }
    if !is_outside {
        return Err(MigrationError::InTransaction);
    }
    refuse_replication_by_statement(conn)?;
    lock(conn)?;
    let outcome = if now(is_galera(conn))? { run_on_a_node(conn) } else { run_locked(conn) };
    // If it cannot be released, the connection is gone, and the lock with it.
    let _ = diesel::sql_query(format!("DO RELEASE_LOCK({LOCK})")).execute(conn);
    outcome
}

/// An append alone runs in READ COMMITTED, whose statements InnoDB does not write to a log of statements.
fn refuse_replication_by_statement(conn: &mut MysqlConnection) -> QueryResult<()> {
    let by_statement = sql::<BigInt>("@@log_bin AND @@binlog_format = 'STATEMENT'");
    match diesel::select(by_statement).get_result::<i64>(conn)? {
        0 => Ok(()),
        _ => Err(Refused::error(DatabaseErrorKind::UnsuitableSetting, "binlog_format is STATEMENT")),
    }
}

fn run_locked(conn: &mut MysqlConnection) -> Result<Vec<String>, MigrationError> {
    conn.setup()?; // the ledger, if it is missing
    // Another connection may have applied them while this one waited.
    let pending = SOURCE.not_applied(&applied(conn)?)?;
    if !begins(&pending) {
        return SOURCE.apply(conn, &pending);
    }
    make_room(conn)?;
    let outcome = SOURCE.apply(conn, &pending);
    if outcome.is_err() {
        // If that fails, too, the next run recognises them as leftovers.
        let _ = drop_tables(conn);
    }
    outcome
}

/// Whether there is nothing yet.
fn begins(pending: &[Box<dyn Migration<Mysql>>]) -> bool {
    pending.iter().any(|pending| pending.name().version() == FIRST.into())
}

/// The lock is this node's alone. But statements that create are given one order in the whole cluster: of
/// several nodes, one creates the first table, and the others find it there. They wait until that one is
/// done, and drop nothing. Any statement of theirs can be ended for the sake of one that comes from another
/// node: then they look again.
fn run_on_a_node(conn: &mut MysqlConnection) -> Result<Vec<String>, MigrationError> {
    let begin = Instant::now();
    loop {
        match migrate_on_a_node(conn) {
            Ok(Some(applied)) => return Ok(applied),
            Ok(None) if begin.elapsed() > PATIENCE => {
                return Err(MigrationError::TableExists {
                    table: FIRST_TABLE.to_owned(),
                    kind: KIND.to_owned(),
                });
            }
            Err(error) if !error.is_retryable() || begin.elapsed() > PATIENCE => return Err(error),
            Ok(None) | Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// `None` if another node is creating the tables.
fn migrate_on_a_node(conn: &mut MysqlConnection) -> Result<Option<Vec<String>>, MigrationError> {
    let pending = SOURCE.not_applied(&applied(conn)?)?;
    if !begins(&pending) {
        return SOURCE.apply(conn, &pending).map(Some);
    }
    let tables = tables(conn)?;
    match foreign_table(&tables) {
        Some(foreign) => Err(foreign),
        None if tables.is_empty() => create_first(conn, &pending),
        None => Ok(None),
    }
}

/// The node that has come further than to the first table is the one that creates, and may drop.
fn create_first(
    conn: &mut MysqlConnection,
    pending: &[Box<dyn Migration<Mysql>>],
) -> Result<Option<Vec<String>>, MigrationError> {
    conn.setup()?; // the ledger, if it is missing
    match SOURCE.apply(conn, pending) {
        Ok(applied) => Ok(Some(applied)),
        Err(error) if is_first_table(&error) => Ok(None),
        Err(error) => drop_on_a_node(conn).and(Err(error)),
    }
}

/// No other node would drop them.
fn drop_on_a_node(conn: &mut MysqlConnection) -> Result<(), MigrationError> {
    for _ in 0..10 {
        match drop_tables(conn).map_err(MigrationError::from) {
            Err(error) if error.is_retryable() => thread::sleep(Duration::from_millis(100)),
            outcome => return outcome,
        }
    }
    Ok(drop_tables(conn)?)
}

fn is_first_table(error: &MigrationError) -> bool {
    matches!(error, MigrationError::TableExists { table, .. } if table == FIRST_TABLE)
}

/// What the database's own table says. To ask diesel would make that table, and commit.
fn applied(conn: &mut MysqlConnection) -> QueryResult<Vec<MigrationVersion<'static>>> {
    match __diesel_schema_migrations::table.select(__diesel_schema_migrations::version).load(conn) {
        Err(error) if is_missing_table(&error) => Ok(Vec::new()),
        versions => versions,
    }
}

const LOCK: &str = "CONCAT('diesel_event_store ', LEFT(SHA2(DATABASE(), 256), 32))";

fn lock(conn: &mut MysqlConnection) -> QueryResult<()> {
    let get_lock = format!("GET_LOCK({LOCK}, {})", PATIENCE.as_secs());
    match diesel::select(sql::<Nullable<BigInt>>(&get_lock)).get_result(conn)? {
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
fn make_room(conn: &mut MysqlConnection) -> Result<(), MigrationError> {
    let tables = tables(conn)?;
    if let Some(foreign) = foreign_table(&tables) {
        return Err(foreign);
    }
    if has_events(conn, &tables)? {
        return Err(MigrationError::TableExists { table: "events".to_owned(), kind: KIND.to_owned() });
    }
    Ok(drop_tables(conn)?)
}

/// The tables that have a name of this crate's.
fn tables(conn: &mut MysqlConnection) -> QueryResult<Vec<Table>> {
    let names = TABLES.map(|name| format!("'{name}'")).join(", ");
    diesel::sql_query(format!(
        "SELECT table_name AS name, table_comment AS comment FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_name IN ({names})"
    ))
    .load(conn)
}

fn foreign_table(tables: &[Table]) -> Option<MigrationError> {
    let foreign = tables.iter().find(|table| table.comment != COMMENT)?;
    Some(MigrationError::TableExists { table: foreign.name.clone(), kind: KIND.to_owned() })
}

fn has_events(conn: &mut MysqlConnection, tables: &[Table]) -> QueryResult<bool> {
    if !tables.iter().any(|table| table.name == "events") {
        return Ok(false);
    }
    diesel::select(exists(events::table.select(sql::<BigInt>("1")))).get_result(conn)
}

fn drop_tables(conn: &mut MysqlConnection) -> QueryResult<()> {
    diesel::sql_query(format!("DROP TABLE IF EXISTS {}", TABLES.join(", "))).execute(conn).map(drop)
}
