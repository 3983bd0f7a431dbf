use std::error::Error as StdError;

use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::result::{DatabaseErrorKind, Error};
use diesel_migrations::EmbeddedMigrations;
#[cfg(feature = "sqlite")]
use diesel_migrations::MigrationHarness;

use crate::storage::error::{DatabaseError, OperationError, operation_error};
use crate::storage::operations::operations;

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
        "the database has the event store migration {version}, which this version of diesel_event_store does \
         not know; upgrade the crate in this application"
    )]
    #[non_exhaustive]
    NewerSchema {
        /// The newest migration this version does not know.
        version: String,
    },
    /// The application has a table of the same name, or something else that stands in a table's way.
    #[error(
        "the database has the {kind} {table}, which the event store did not create; rename it, or give the \
         event store a database of its own"
    )]
    #[non_exhaustive]
    TableExists {
        /// Its name.
        table: String,
        /// What it is, in the database's words: a table, view, index, sequence, type or function.
        kind: String,
    },
    /// On PostgreSQL: the database has another encoding than UTF8, which cannot keep every text. Nothing was
    /// done.
    #[error(
        "the event store needs a UTF8 database, and the encoding of this one is {encoding}; create one with \
         ENCODING 'UTF8' TEMPLATE template0"
    )]
    #[non_exhaustive]
    Encoding {
        /// The encoding of the database.
        encoding: String,
    },
    /// On MySQL and MariaDB, inside a transaction: to create a table would commit it. Nothing was done.
    #[error(
        "there are migrations to be applied, and on MySQL they would commit the transaction that is open; \
         run them outside of transactions"
    )]
    InTransaction,
    /// The database refused or failed.
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

operations! {
    /// Applies the event store's migrations.
    pub(crate) trait Migrations {
        /// Applies what is pending and returns the versions applied.
        fn run_pending_migrations(&mut self) -> Result<Vec<String>, MigrationError>;
    }
}

/// The migrations for one database.
pub(crate) struct Source {
    pub(crate) migrations: EmbeddedMigrations,
    /// Finds, in the database's message, the kind and the name of what stands in the way of a CREATE.
    pub(crate) existing: fn(&str) -> Option<(&str, &str)>,
}

impl Source {
    /// The migrations that the database does not have yet. The servers have ways of their own to ask.
    #[cfg(feature = "sqlite")]
    pub(crate) fn pending<DB: Backend>(
        &self,
        conn: &mut impl MigrationHarness<DB>,
    ) -> Result<Vec<Box<dyn Migration<DB>>>, MigrationError> {
        self.not_applied(&conn.applied_migrations().map_err(|error| self.error(error))?)
    }

    /// The migrations without those that are applied.
    pub(crate) fn not_applied<DB: Backend>(
        &self,
        applied: &[MigrationVersion<'_>],
    ) -> Result<Vec<Box<dyn Migration<DB>>>, MigrationError> {
        let known = MigrationSource::<DB>::migrations(&self.migrations).map_err(|error| self.error(error))?;
        refuse_newer_schema(applied, &known)?;
        Ok(known
            .into_iter()
            .filter(|migration| !applied.contains(&migration.name().version().as_owned()))
            .collect())
    }

    /// Applies what is pending and returns the versions. The caller makes sure that no other connection does
    /// so at the same time.
    #[cfg(feature = "sqlite")]
    pub(crate) fn apply_pending<DB: Backend>(
        &self,
        conn: &mut impl MigrationHarness<DB>,
    ) -> Result<Vec<String>, MigrationError> {
        let pending = self.pending(conn)?;
        self.apply(conn, &pending)
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn apply<DB: Backend>(
        &self,
        conn: &mut impl MigrationHarness<DB>,
        pending: &[Box<dyn Migration<DB>>],
    ) -> Result<Vec<String>, MigrationError> {
        let applied = conn.run_migrations(pending).map_err(|error| self.error(error))?;
        Ok(applied.iter().map(ToString::to_string).collect())
    }

    fn error(&self, error: Box<dyn StdError + Send + Sync>) -> MigrationError {
        match error.downcast::<Error>() {
            Ok(error) => MigrationError::from(*error),
            Err(error) => self.run_error(error),
        }
    }

    /// `diesel_migrations` passes on what a migration's SQL has met with as text only: `Failed to run NAME
    /// with: MESSAGE`.
    fn run_error(&self, error: Box<dyn StdError + Send + Sync>) -> MigrationError {
        let text = error.to_string();
        let Some((_, message)) = text.split_once(" with: ") else { return MigrationError::Migration(error) };
        self.refused(Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned())))
    }

    /// What a migration's SQL has met with.
    pub(crate) fn refused(&self, error: Error) -> MigrationError {
        match (self.existing)(&error.to_string()) {
            Some((kind, name)) => {
                MigrationError::TableExists { table: name.to_owned(), kind: kind.to_lowercase() }
            }
            None => error.into(),
        }
    }
}

/// Refuses a database that has migrations of this crate which this version of it does not know.
fn refuse_newer_schema<DB: Backend>(
    applied: &[MigrationVersion<'_>],
    known: &[Box<dyn Migration<DB>>],
) -> Result<(), MigrationError> {
    let unknown = applied
        .iter()
        .filter(|version| !known.iter().any(|migration| migration.name().version() == **version))
        .map(ToString::to_string)
        .filter(|version| is_of_this_crate(version))
        .max();
    match unknown {
        Some(version) => Err(MigrationError::NewerSchema { version }),
        None => Ok(()),
    }
}

/// Whether a version is one of this crate's: `00000000` and a number of six digits, then `des`. So they sort
/// before any that are named after the time: `diesel migration revert` and `redo` of an application find its
/// own newest last.
fn is_of_this_crate(version: &str) -> bool {
    version
        .strip_prefix("00000000")
        .and_then(|rest| rest.strip_suffix("des"))
        .is_some_and(|number| number.len() == 6 && number.bytes().all(|byte| byte.is_ascii_digit()))
}
