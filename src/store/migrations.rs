use std::error::Error as StdError;

use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::result::{DatabaseErrorKind, Error};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

use crate::error::MigrationError;
use crate::storage::connection::EventConnection;

/// Applies the event store's migrations that the database does not have yet, and returns their versions.
///
/// Call it when the application starts. Any number of processes may do so at once: one applies them, the others wait.
/// When nothing is pending it only reads. The migrations are recorded in diesel's own table beside the application's, so
/// it makes no difference whether they were applied here or by `diesel migration run`.
///
/// Alone, everything pending is applied in one transaction. Inside a transaction of the application's it is part of
/// that transaction.
///
/// # Errors
///
/// - [`MigrationError::NewerSchema`]: a newer version of this crate has migrated the database.
/// - [`MigrationError::TableExists`]: the application has a table of the same name.
/// - [`MigrationError::Database`]: the database refused, for instance because it is read-only or locked.
///
/// After an error the schema is as it was.
///
/// ```
/// use diesel::prelude::*;
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// let applied = diesel_event_store::run_pending_migrations(&mut conn)?;
/// assert_eq!(applied, ["00000000000100des"]);
/// assert!(diesel_event_store::run_pending_migrations(&mut conn)?.is_empty());
/// # Ok(())
/// # }
/// ```
pub fn run_pending_migrations<C: EventConnection + ?Sized>(
    conn: &mut C,
) -> Result<Vec<String>, MigrationError> {
    conn.lend().backend().run_pending_migrations()
}

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
