use diesel::result::QueryResult;

use super::error::ProjectionError;
use super::link::Link;
use super::partitions;
use super::start_from::StartFrom;
use super::transaction::LentTransaction;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::timestamp;
use crate::storage::connection::EventConnection;
use crate::storage::now::now;
use crate::storage::parked::Parked;
use crate::storage::partitions::Partitions;
use crate::storage::transactions::Transactions;
use crate::store::wake_up;

/// Puts a projection back to the beginning: all events are applied again, and parked events are forgotten.
/// `clear` empties the read model in the same transaction. If a worker is applying a batch meanwhile, the
/// batch is rolled back; an idle worker notices within a second, and reads the log again. A version that was
/// retired is applied again. The number of partitions stays as it is, also if a
/// [`repartition`](super::repartition()) was still under way: call that again. Outside a transaction, it
/// begins its own; inside a transaction of the application it is a savepoint, which is committed or rolled
/// back with it.
///
/// # Errors
///
/// - [`ProjectionError::Archived`]: events are not in the log any more. Nothing was done.
/// - [`ProjectionError::Unknown`], [`ProjectionError::Database`], and what `clear` returns.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::projection::{self, Projection, ProjectionError};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # diesel::sql_query("CREATE TABLE users (email TEXT NOT NULL)").execute(&mut conn)?;
/// let users = Projection::new("users", 1, |_conn: &mut SqliteConnection, _event| Ok(()));
/// users.catch_up(&mut conn)?;
///
/// projection::reset(&mut conn, ("users", 1), |conn| {
///     diesel::sql_query("DELETE FROM users").execute(conn)?;
///     Ok::<_, ProjectionError>(())
/// })?;
/// # Ok(())
/// # }
/// ```
pub fn reset<C, E>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    clear: impl FnOnce(&mut C) -> Result<(), E>,
) -> Result<(), E>
where
    C: EventConnection,
    E: From<ProjectionError> + From<diesel::result::Error>,
{
    reset_to(conn, projection, StartFrom::Beginning, clear)
}

/// Puts a projection somewhere else in the log, back or ahead, with all its partitions: the events after that
/// are applied, again or for the first time, and parked ones among them are forgotten. `fit` makes the read
/// model fit in the same transaction. A batch that a worker is applying meanwhile is rolled back, and a
/// [`repartition`](super::repartition()) that is still under way is taken back.
///
/// [`StartFrom`] says where: at the beginning, as [`reset`]; at the end, so that what lies between is
/// skipped; at a position, or a time. Outside a transaction, it begins its own; inside a transaction of the
/// application it is a savepoint, which is committed or rolled back with it.
///
/// # Errors
///
/// - [`ProjectionError::Invalid`]: the position lies beyond the log, or the time is one that no database
///   stores. [`ProjectionError::Archived`]: events after it are not in the log any more. Nothing was done.
/// - [`ProjectionError::Unknown`], [`ProjectionError::Database`], and what `fit` returns.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::projection::{self, Projection, ProjectionError, StartFrom};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let mails = Projection::new("mails", 2, |_conn: &mut SqliteConnection, _event| Ok(()));
/// mails.catch_up(&mut conn)?;
///
/// // What has come in the meantime needs no mail any more.
/// projection::reset_to(&mut conn, ("mails", 2), StartFrom::Now, |_| Ok::<_, ProjectionError>(()))?;
/// # Ok(())
/// # }
/// ```
pub fn reset_to<C, E>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    start: StartFrom,
    fit: impl FnOnce(&mut C) -> Result<(), E>,
) -> Result<(), E>
where
    C: EventConnection,
    E: From<ProjectionError> + From<diesel::result::Error>,
{
    now(start_over(conn, &projection.into(), start, async |conn: &mut C| fit(conn)))
}

pub(super) async fn start_over<L: Link, E>(
    link: &mut L,
    projection: &ProjectionId,
    start: StartFrom,
    fit: impl AsyncFnOnce(&mut L::Conn) -> Result<(), E>,
) -> Result<(), E>
where
    E: From<ProjectionError> + From<diesel::result::Error>,
{
    start.validate().map_err(ProjectionError::from)?;
    partitions::known(&mut link.database(), projection).await?;
    link.database().refuse_foreign().await?;
    let position = start.resolve(&mut link.database()).await?;
    let open = LentTransaction::begin(link).await?;
    let put = put_at(&mut open.link.database(), projection, position).await;
    open.end_with(put.map_err(E::from), fit).await?;
    wake_up::all();
    Ok(())
}

/// What is parked below was passed, and stays.
async fn put_at<D: Partitions + Parked>(
    database: &mut D,
    projection: &ProjectionId,
    position: Position,
) -> QueryResult<()> {
    database.reset(projection, position, timestamp::now()).await?;
    database.unpark_after(projection, position).await?;
    Ok(())
}
