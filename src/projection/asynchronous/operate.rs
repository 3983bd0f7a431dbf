//! What an operator does with projections, on connections of diesel-async's.

use std::time::Duration;

use super::link::Awaited;
use crate::model::parked::{ParkedEvent, Request};
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::projection::error::ProjectionError;
use crate::projection::operate::{Waiting, reached, resume_failed};
use crate::projection::parked::{all_parked, some_parked};
use crate::projection::partitions::known;
use crate::projection::promote::take_over;
use crate::projection::repartition::change;
use crate::projection::reset::start_over;
use crate::projection::start_from::StartFrom;
use crate::projection::status::{ProjectionStatus, status_of_all};
use crate::storage::asynchronous::awaited::awaited;
use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::storage::parked::Parked;
use crate::store::wake_up;

/// Waits until a projection has reached a position, as [`wait_for`](super::super::wait_for()): read your own
/// writes. It pauses on the runtime's timer.
///
/// # Errors
///
/// As [`wait_for`](super::super::wait_for()).
///
#[cfg_attr(feature = "async-postgres", doc = "```no_run")]
#[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
/// use std::time::Duration;
///
/// use diesel_async::{AsyncConnection, AsyncPgConnection};
/// use diesel_event_store::AsyncEventStore;
/// use diesel_event_store::projection::async_wait_for;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = AsyncPgConnection::establish("postgres://localhost/shop").await?;
/// let last = AsyncEventStore::new().last_position(&mut conn).await?;
/// async_wait_for(&mut conn, ("users", 1), last, Duration::from_secs(10)).await?;
/// # Ok(())
/// # }
/// ```
pub async fn async_wait_for<C: AsyncEventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    position: Position,
    longest: Duration,
) -> Result<(), ProjectionError> {
    let projection = &projection.into();
    let mut waiting = Waiting::for_position(position, longest);
    loop {
        let partitions = awaited!(conn, clone(projection: projection.clone()), database => {
            known(database, projection)
        })?;
        match waiting.pause(projection, &partitions)? {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Ok(()),
        }
    }
}

/// Whether a projection has reached a position, as [`has_reached`](super::super::has_reached()).
///
/// # Errors
///
/// As [`has_reached`](super::super::has_reached()).
///
#[cfg_attr(feature = "async-postgres", doc = "```no_run")]
#[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
/// use diesel_async::{AsyncConnection, AsyncPgConnection};
/// use diesel_event_store::AsyncEventStore;
/// use diesel_event_store::projection::async_has_reached;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = AsyncPgConnection::establish("postgres://localhost/shop").await?;
/// let last = AsyncEventStore::new().last_position(&mut conn).await?;
/// if !async_has_reached(&mut conn, ("users", 1), last).await? {
///     println!("come again later");
/// }
/// # Ok(())
/// # }
/// ```
pub async fn async_has_reached<C: AsyncEventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    position: Position,
) -> Result<bool, ProjectionError> {
    let projection = &projection.into();
    let partitions = awaited!(conn, clone(projection: projection.clone()), database => {
        known(database, projection)
    })?;
    Ok(reached(&partitions) >= position)
}

/// How all projections are, as [`status`](super::super::status()).
///
/// # Errors
///
/// As [`status`](super::super::status()).
///
#[cfg_attr(feature = "async-postgres", doc = "```no_run")]
#[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
/// use diesel_async::{AsyncConnection, AsyncPgConnection};
/// use diesel_event_store::projection::async_status;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = AsyncPgConnection::establish("postgres://localhost/shop").await?;
/// for status in async_status(&mut conn).await? {
///     println!("{} is {} positions behind", status.projection(), status.positions_behind());
/// }
/// # Ok(())
/// # }
/// ```
pub async fn async_status<C: AsyncEventConnection + ?Sized>(
    conn: &mut C,
) -> Result<Vec<ProjectionStatus>, ProjectionError> {
    awaited!(conn, clone(), database => status_of_all(database))
}

/// Resumes the partitions of a projection that have stopped, as [`resume`](super::super::resume()).
///
/// # Errors
///
/// As [`resume`](super::super::resume()).
///
#[cfg_attr(feature = "async-postgres", doc = "```no_run")]
#[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
/// use diesel_async::{AsyncConnection, AsyncPgConnection};
/// use diesel_event_store::projection::async_resume;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = AsyncPgConnection::establish("postgres://localhost/shop").await?;
/// println!("{} partitions were resumed", async_resume(&mut conn, ("users", 1)).await?);
/// # Ok(())
/// # }
/// ```
pub async fn async_resume<C: AsyncEventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
) -> Result<usize, ProjectionError> {
    let projection = &projection.into();
    awaited!(conn, clone(projection: projection.clone()), database => resume_failed(database, projection))
}

/// Puts a projection back to the beginning, as [`reset`](super::super::reset()): `clear` empties the read
/// model in the same transaction.
///
/// If the future is dropped, it has happened wholly or not at all. In the middle, it marks the connection as
/// broken, also inside a transaction of the application, which then cannot be committed.
///
/// # Errors
///
/// As [`reset`](super::super::reset()).
///
#[cfg_attr(feature = "async-postgres", doc = "```no_run")]
#[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
/// use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
/// use diesel_event_store::projection::{ProjectionError, async_reset};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = AsyncPgConnection::establish("postgres://localhost/shop").await?;
/// async_reset(&mut conn, ("users", 1), async |conn| {
///     diesel::sql_query("DELETE FROM users").execute(conn).await?;
///     Ok::<_, ProjectionError>(())
/// })
/// .await?;
/// # Ok(())
/// # }
/// ```
pub async fn async_reset<C, E>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    clear: impl AsyncFnOnce(&mut C) -> Result<(), E>,
) -> Result<(), E>
where
    C: AsyncEventConnection,
    E: From<ProjectionError> + From<diesel::result::Error>,
{
    async_reset_to(conn, projection, StartFrom::Beginning, clear).await
}

/// Puts a projection somewhere else in the log, as [`reset_to`](super::super::reset_to()): `fit` makes the
/// read model fit in the same transaction.
///
/// If the future is dropped, it has happened wholly or not at all. In the middle, it marks the connection as
/// broken, also inside a transaction of the application, which then cannot be committed.
///
/// # Errors
///
/// As [`reset_to`](super::super::reset_to()).
///
#[cfg_attr(feature = "async-postgres", doc = "```no_run")]
#[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
/// use diesel_async::{AsyncConnection, AsyncPgConnection};
/// use diesel_event_store::projection::{ProjectionError, StartFrom, async_reset_to};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = AsyncPgConnection::establish("postgres://localhost/shop").await?;
/// let nothing = async |_: &mut AsyncPgConnection| Ok::<_, ProjectionError>(());
/// async_reset_to(&mut conn, ("mails", 2), StartFrom::Now, nothing).await?;
/// # Ok(())
/// # }
/// ```
pub async fn async_reset_to<C, E>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    start: StartFrom,
    fit: impl AsyncFnOnce(&mut C) -> Result<(), E>,
) -> Result<(), E>
where
    C: AsyncEventConnection,
    E: From<ProjectionError> + From<diesel::result::Error>,
{
    start_over(&mut Awaited::<C, _>::new(conn), &projection.into(), start, fit).await
}

/// Puts a version of a projection in the place of the older ones, as [`promote`](super::super::promote()):
/// `swap` gives its tables the name that readers know, in the same transaction.
///
/// If the future is dropped, it has happened wholly or not at all. In the middle, it marks the connection as
/// broken, also inside a transaction of the application, which then cannot be committed.
///
/// # Errors
///
/// As [`promote`](super::super::promote()).
///
#[cfg_attr(feature = "async-postgres", doc = "```no_run")]
#[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
/// use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
/// use diesel_event_store::projection::{ProjectionError, async_promote};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = AsyncPgConnection::establish("postgres://localhost/shop").await?;
/// async_promote(&mut conn, ("users", 2), async |conn| {
///     conn.batch_execute("DROP VIEW users; CREATE VIEW users AS SELECT * FROM users_2").await?;
///     Ok::<_, ProjectionError>(())
/// })
/// .await?;
/// # Ok(())
/// # }
/// ```
pub async fn async_promote<C, E>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    swap: impl AsyncFnOnce(&mut C) -> Result<(), E>,
) -> Result<(), E>
where
    C: AsyncEventConnection,
    E: From<ProjectionError> + From<diesel::result::Error>,
{
    take_over(&mut Awaited::<C, _>::new(conn), &projection.into(), swap).await
}

/// Changes the number of partitions, as [`repartition`](super::super::repartition()).
///
/// If the future is dropped, it has happened wholly or not at all. In the middle, it marks the connection as
/// broken, on servers.
///
/// # Errors
///
/// As [`repartition`](super::super::repartition()).
///
#[cfg_attr(feature = "async-postgres", doc = "```no_run")]
#[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
/// use diesel_async::{AsyncConnection, AsyncPgConnection};
/// use diesel_event_store::projection::async_repartition;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = AsyncPgConnection::establish("postgres://localhost/shop").await?;
/// async_repartition(&mut conn, ("mails", 1), 4).await?;
/// # Ok(())
/// # }
/// ```
pub async fn async_repartition<C: AsyncEventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    number: i32,
) -> Result<(), ProjectionError> {
    let projection = &projection.into();
    awaited!(conn, clone(projection: projection.clone()), database => change(database, projection, number))
}

/// The parked events of a projection, as [`parked`](super::super::parked()).
///
/// # Errors
///
/// As [`parked`](super::super::parked()).
///
#[cfg_attr(feature = "async-postgres", doc = "```no_run")]
#[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
/// use diesel_async::{AsyncConnection, AsyncPgConnection};
/// use diesel_event_store::projection::async_parked;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = AsyncPgConnection::establish("postgres://localhost/shop").await?;
/// for parked in async_parked(&mut conn, ("mails", 1)).await? {
///     println!("{}: {}", parked.position(), parked.error());
/// }
/// # Ok(())
/// # }
/// ```
pub async fn async_parked<C: AsyncEventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
) -> Result<Vec<ParkedEvent>, ProjectionError> {
    let projection = &projection.into();
    awaited!(conn, clone(projection: projection.clone()), database => all_parked(database, projection))
}

/// The first parked events of a projection above a position, as [`parked_after`](super::super::parked_after()).
///
/// # Errors
///
/// As [`parked_after`](super::super::parked_after()).
///
#[cfg_attr(feature = "async-postgres", doc = "```no_run")]
#[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
/// use diesel_async::{AsyncConnection, AsyncPgConnection};
/// use diesel_event_store::Position;
/// use diesel_event_store::projection::async_parked_after;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = AsyncPgConnection::establish("postgres://localhost/shop").await?;
/// let first_page = async_parked_after(&mut conn, ("mails", 1), Position::START, 100).await?;
/// if let Some(last) = first_page.last() {
///     let second_page = async_parked_after(&mut conn, ("mails", 1), last.position(), 100).await?;
/// }
/// # Ok(())
/// # }
/// ```
pub async fn async_parked_after<C: AsyncEventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    position: Position,
    limit: usize,
) -> Result<Vec<ParkedEvent>, ProjectionError> {
    let projection = &projection.into();
    awaited!(conn, clone(projection: projection.clone()), database => {
        some_parked(database, projection, position, limit)
    })
}

/// Asks for a parked event to be given to the handler again, as
/// [`retry_parked`](super::super::retry_parked()).
///
/// # Errors
///
/// As [`retry_parked`](super::super::retry_parked()).
///
#[cfg_attr(feature = "async-postgres", doc = "```no_run")]
#[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
/// use diesel_async::{AsyncConnection, AsyncPgConnection};
/// use diesel_event_store::projection::{async_parked, async_retry_parked};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = AsyncPgConnection::establish("postgres://localhost/shop").await?;
/// for parked in async_parked(&mut conn, ("mails", 1)).await? {
///     async_retry_parked(&mut conn, ("mails", 1), parked.position()).await?;
/// }
/// # Ok(())
/// # }
/// ```
pub async fn async_retry_parked<C: AsyncEventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    position: Position,
) -> Result<bool, ProjectionError> {
    request(conn, &projection.into(), position, Request::Retry).await
}

/// Asks for a parked event to be passed over for good, as
/// [`discard_parked`](super::super::discard_parked()).
///
/// # Errors
///
/// As [`discard_parked`](super::super::discard_parked()).
///
#[cfg_attr(feature = "async-postgres", doc = "```no_run")]
#[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
/// use diesel_async::{AsyncConnection, AsyncPgConnection};
/// use diesel_event_store::projection::{async_parked, async_discard_parked};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = AsyncPgConnection::establish("postgres://localhost/shop").await?;
/// for parked in async_parked(&mut conn, ("mails", 1)).await? {
///     async_discard_parked(&mut conn, ("mails", 1), parked.position()).await?;
/// }
/// # Ok(())
/// # }
/// ```
pub async fn async_discard_parked<C: AsyncEventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    position: Position,
) -> Result<bool, ProjectionError> {
    request(conn, &projection.into(), position, Request::Discard).await
}

async fn request<C: AsyncEventConnection + ?Sized>(
    conn: &mut C,
    projection: &ProjectionId,
    position: Position,
    request: Request,
) -> Result<bool, ProjectionError> {
    let found = awaited!(conn, clone(projection: projection.clone()), database => {
        database.request(projection, position, request)
    })?;
    wake_up::all();
    Ok(found)
}
