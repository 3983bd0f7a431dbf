use diesel::result::QueryResult;

use super::error::ProjectionError;
use super::link::Link;
use super::partitions;
use super::start_from::refuse_archived;
use super::transaction::Open;
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
/// `clear` empties the read model in the same transaction. A batch that a worker is applying meanwhile is
/// rolled back.
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
    now(start_over(conn, &projection.into(), async |conn: &mut C| clear(conn)))
}

pub(super) async fn start_over<L: Link, E>(
    link: &mut L,
    projection: &ProjectionId,
    clear: impl AsyncFnOnce(&mut L::Conn) -> Result<(), E>,
) -> Result<(), E>
where
    E: From<ProjectionError> + From<diesel::result::Error>,
{
    partitions::known(&mut link.database(), projection).await?;
    link.database().refuse_foreign().await?;
    refuse_archived(&mut link.database(), Position::START).await?;
    let open = Open::begin(link).await?;
    let put_back = put_back(&mut open.link.database(), projection).await;
    open.end_with(put_back.map_err(E::from), clear).await?;
    wake_up::all();
    Ok(())
}

async fn put_back<D: Partitions + Parked>(database: &mut D, projection: &ProjectionId) -> QueryResult<()> {
    database.reset(projection, Position::START, timestamp::now()).await?;
    database.unpark_all(projection).await?;
    Ok(())
}
