use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::migrations::MigrationError;

/// Applies the event store's migrations that the database does not have yet, and returns their versions.
///
/// Call it when the application starts. Any number of processes may do so at once: one applies the
/// migrations, the others wait. When nothing is pending it only reads. So it works on a standby, and with a
/// role that may create nothing and only read `__diesel_schema_migrations`. The migrations are recorded in
/// diesel's own table with those of the application, so it makes no difference whether they were applied here
/// or by `diesel migration run`.
///
/// On SQLite and PostgreSQL, all pending migrations are applied in one transaction; inside a transaction of
/// the application they are part of it. MySQL and MariaDB commit with every table that is created, so there
/// the migrations run outside of transactions, one after the other.
///
/// # Errors
///
/// - [`MigrationError::NewerSchema`]: a newer version of this crate has migrated the database.
/// - [`MigrationError::TableExists`]: the application has a table of the same name, or something else that
///   has the name: a view, an index, a sequence, a type, a function. The error says which.
/// - [`MigrationError::Encoding`]: on PostgreSQL, the database is not in UTF8.
/// - [`MigrationError::InTransaction`]: on MySQL and MariaDB, a transaction is open and migrations are
///   pending.
/// - [`MigrationError::Database`]: the database refused or failed, for instance because it is read-only or
///   locked; on PostgreSQL, migrations are pending in a transaction above READ COMMITTED.
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
    conn.database().run_pending_migrations()
}
