use super::activity::refuse_retired;
use super::error::ProjectionError;
use super::link::Link;
use super::operate::reached;
use super::partitions;
use super::transaction::LentTransaction;
use crate::model::partition::Partition;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::storage::connection::EventConnection;
use crate::storage::now::now;
use crate::storage::partitions::Partitions;
use crate::storage::transactions::Transactions;

/// Puts a version of a projection in the place of the older ones, once it has applied as much as each of
/// them: `swap` gives its tables the name that readers know, and in the same transaction the older versions
/// are retired. No worker applies them any more, also if it is started later, unless they are
/// [reset](super::reset). An older version that was never run is not among them.
///
/// This is how a read model is rebuilt beside the one in use: run the new version, with tables of its own,
/// until its [status](super::status()) says that it has caught up; then promote it.
///
/// Outside a transaction, it begins its own; inside a transaction of the application it is a savepoint, which
/// is committed or rolled back with it. On MySQL and MariaDB, statements that create or rename tables commit:
/// let `swap` be a single one (`RENAME TABLE users TO …, … TO users`).
///
/// # Errors
///
/// - [`ProjectionError::Behind`]: it has not come as far as an older version. Nothing was done.
/// - [`ProjectionError::Retired`]: a newer version was promoted before. Nothing was done.
/// - [`ProjectionError::Unknown`], [`ProjectionError::Database`], and what `swap` returns.
///
/// ```
/// use diesel::connection::SimpleConnection;
/// use diesel::prelude::*;
/// use diesel_event_store::projection::{self, Projection, ProjectionError};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # conn.batch_execute("CREATE TABLE users_1 (email TEXT); CREATE VIEW users AS SELECT * FROM users_1")?;
/// # conn.batch_execute("CREATE TABLE users_2 (email TEXT, name TEXT)")?;
/// # Projection::new("users", 1, |_conn: &mut SqliteConnection, _event| Ok(())).catch_up(&mut conn)?;
/// let users = Projection::new("users", 2, |_conn: &mut SqliteConnection, _event| Ok(()));
/// users.catch_up(&mut conn)?;
///
/// projection::promote(&mut conn, ("users", 2), |conn| {
///     conn.batch_execute("DROP VIEW users; CREATE VIEW users AS SELECT * FROM users_2")?;
///     Ok::<_, ProjectionError>(())
/// })?;
/// # Ok(())
/// # }
/// ```
pub fn promote<C, E>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    swap: impl FnOnce(&mut C) -> Result<(), E>,
) -> Result<(), E>
where
    C: EventConnection,
    E: From<ProjectionError> + From<diesel::result::Error>,
{
    now(take_over(conn, &projection.into(), async |conn: &mut C| swap(conn)))
}

pub(super) async fn take_over<L: Link, E>(
    link: &mut L,
    promoted: &ProjectionId,
    swap: impl AsyncFnOnce(&mut L::Conn) -> Result<(), E>,
) -> Result<(), E>
where
    E: From<ProjectionError> + From<diesel::result::Error>,
{
    partitions::known(&mut link.database(), promoted).await?;
    link.database().refuse_foreign().await?;
    let open = LentTransaction::begin(link).await?;
    let retired = retire_older(&mut open.link.database(), promoted).await;
    open.end_with(retired.map_err(E::from), swap).await
}

/// Retiring locks the rows of the older versions, so they are compared when none of them can move on.
async fn retire_older<D: Partitions>(
    database: &mut D,
    promoted: &ProjectionId,
) -> Result<(), ProjectionError> {
    let older = |row: &&Partition| {
        let ProjectionId { name, version } = &row.key.projection;
        *name == promoted.name && *version < promoted.version
    };
    let rows = database.every_partition().await?;
    for row in rows.iter().filter(older) {
        database.retire(&row.key.projection).await?;
    }
    let rows = database.every_partition().await?;
    let furthest = rows.iter().filter(older).map(|row| row.position).max().unwrap_or(Position::START);
    let partitions = partitions::known(database, promoted).await?;
    partitions.iter().try_for_each(refuse_retired)?;
    let reached = reached(&partitions);
    if reached < furthest {
        return Err(ProjectionError::Behind { projection: promoted.clone(), reached, wanted: furthest });
    }
    Ok(())
}
