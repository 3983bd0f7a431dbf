use std::error::Error as StdError;

use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::result::{DatabaseErrorKind, Error};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

use crate::storage::error::{DatabaseError, OperationError, operation_error};

/// Why the migrations were not run. The schema is as it was before.
///
/// ```
/// use diesel::{connection::SimpleConnection, prelude::*};
/// use diesel_event_store::{MigrationError, run_pending_migrations};
///
/// let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// conn.batch_execute("CREATE TABLE events (id INTEGER PRIMARY KEY)").unwrap();
/// match run_pending_migrations(&mut conn) {
///     Err(MigrationError::TableExists { table, .. }) => assert_eq!(table, "events"),
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// A newer version of this crate has migrated the database. It is not touched.
    #[error(
        "the database has the event store migration {version}, which this version of diesel_event_store does not \
         know; upgrade the crate in this application"
    )]
    #[non_exhaustive]
    NewerSchema {
        /// The newest migration this version does not know.
        version: String,
    },
    /// The application has a table of the same name.
    #[error(
        "the database has a table {table} that the event store has not made; rename it, or keep the events in a \
         database of their own"
    )]
    #[non_exhaustive]
    TableExists {
        /// The name of the table.
        table: String,
    },
    /// On MySQL and MariaDB, inside a transaction: to create a table would commit it. Nothing was done.
    #[error(
        "there are migrations to be applied, and on MySQL they would commit the transaction that is open; \
         run them outside of transactions"
    )]
    InTransaction,
    /// The database did not do it.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// `diesel_migrations` failed for a reason of its own.
    #[error("the migrations could not be run: {0}")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl MigrationError {
    /// Whether the same may well succeed when it is run again.
    ///
    /// ```
    /// use diesel_event_store::MigrationError;
    ///
    /// assert!(!MigrationError::from(diesel::result::Error::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        self.database_error().is_some_and(DatabaseError::is_retryable)
    }
}

operation_error!(MigrationError);

/// Whether a version is one of this crate's: `00000000` and a number of six digits, then `des`. So they sort before any
/// that are named after the time: `diesel migration revert` and `redo` of an application find its own newest last.
fn is_ours(version: &str) -> bool {
    version
        .strip_prefix("00000000")
        .and_then(|rest| rest.strip_suffix("des"))
        .is_some_and(|number| number.len() == 6 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The migrations of `source` that the database does not have yet. MySQL has a way of its own to ask.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn pending<DB: Backend>(
    conn: &mut impl MigrationHarness<DB>,
    source: &EmbeddedMigrations,
) -> Result<Vec<Box<dyn Migration<DB>>>, MigrationError> {
    not_applied(source, &conn.applied_migrations().map_err(migration_error)?)
}

/// The migrations of `source` without those that are applied.
pub(crate) fn not_applied<DB: Backend>(
    source: &EmbeddedMigrations,
    applied: &[MigrationVersion<'_>],
) -> Result<Vec<Box<dyn Migration<DB>>>, MigrationError> {
    let ours = MigrationSource::<DB>::migrations(source).map_err(migration_error)?;
    refuse_newer_schema(applied, &ours)?;
    Ok(ours
        .into_iter()
        .filter(|migration| !applied.contains(&migration.name().version().as_owned()))
        .collect())
}

/// Applies what is pending and returns the versions. The caller makes sure that nobody else does so at the same time.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn apply_pending<DB: Backend>(
    conn: &mut impl MigrationHarness<DB>,
    source: &EmbeddedMigrations,
) -> Result<Vec<String>, MigrationError> {
    let pending = pending(conn, source)?;
    apply(conn, &pending)
}

pub(crate) fn apply<DB: Backend>(
    conn: &mut impl MigrationHarness<DB>,
    pending: &[Box<dyn Migration<DB>>],
) -> Result<Vec<String>, MigrationError> {
    let applied = conn.run_migrations(pending).map_err(migration_error)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

/// Refuses a database that has migrations of this crate which this version of it does not know.
fn refuse_newer_schema<DB: Backend>(
    applied: &[MigrationVersion<'_>],
    ours: &[Box<dyn Migration<DB>>],
) -> Result<(), MigrationError> {
    let unknown = applied
        .iter()
        .filter(|version| !ours.iter().any(|migration| migration.name().version() == **version))
        .map(ToString::to_string)
        .filter(|version| is_ours(version))
        .max();
    match unknown {
        Some(version) => Err(MigrationError::NewerSchema { version }),
        None => Ok(()),
    }
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

/// The name of what stands in the way of a CREATE TABLE. Every database says `… NAME already exists`.
fn existing_table(message: &str) -> Option<&str> {
    let (_, name) = message.strip_suffix(" already exists")?.rsplit_once(' ')?;
    Some(name.trim_matches(['"', '\'', '`']))
}
