//! What an operator does with the events that a projection has put aside.

use super::error::ProjectionError;
use super::partitions;
use crate::model::invalid::check_at_least_one;
use crate::model::parked::{ParkedEvent, Request};
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::now::now;
use crate::storage::parked::Parked;
use crate::storage::partitions::Partitions;
use crate::store::wake_up;

/// The parked (dead-lettered) events of a projection, in the order of their positions.
///
/// They are all in memory at once. Where there may be many, read them page by page with [`parked_after`].
/// Inside a transaction of the application it reads what that transaction sees.
///
/// # Errors
///
/// [`ProjectionError::Unknown`], [`ProjectionError::Database`].
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::projection::{self, HandlerError, OnFailure, ParkReason, Projection};
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let mails = Projection::new("mails", 1, |_conn: &mut SqliteConnection, event| {
///     Err(HandlerError::unknown_event_type(event))
/// })
/// .on_unknown_event_type(OnFailure::Park);
///
/// let strange = [NewEvent::new("Strange", &())?];
/// EventStore::new().append(&mut conn, &StreamId::new("User", "alice")?, ExpectedVersion::Any, &strange)?;
/// mails.catch_up(&mut conn)?;
///
/// let parked = projection::parked(&mut conn, ("mails", 1))?;
/// assert_eq!(parked[0].reason(), ParkReason::UnknownEventType);
///
/// projection::discard_parked(&mut conn, ("mails", 1), parked[0].position())?;
/// mails.catch_up(&mut conn)?; // or a runner
/// assert!(projection::parked(&mut conn, ("mails", 1))?.is_empty());
/// # Ok(())
/// # }
/// ```
pub fn parked<C: EventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
) -> Result<Vec<ParkedEvent>, ProjectionError> {
    now(all_parked(&mut conn.database(), &projection.into()))
}

/// Of a projection that was run at least once.
pub(super) async fn all_parked<D: Partitions + Parked>(
    database: &mut D,
    projection: &ProjectionId,
) -> Result<Vec<ParkedEvent>, ProjectionError> {
    partitions::known(database, projection).await?;
    Ok(database.parked(projection).await?)
}

/// The first parked events of a projection above a position, at most so many: a page of what [`parked`]
/// returns. The next one begins after the position of the last. [`ProjectionStatus::parked`] says how many
/// there are. Inside a transaction of the application it reads what that transaction sees.
///
/// # Errors
///
/// As [`parked`], and [`ProjectionError::Invalid`] for a limit of 0.
///
/// ```
/// # use diesel::prelude::*;
/// # use diesel_event_store::projection::{OnFailure, Projection, HandlerError};
/// # use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
/// use diesel_event_store::{Position, projection};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # let events = [NewEvent::new("Strange", &())?, NewEvent::new("Strange", &())?];
/// # EventStore::new().append(&mut conn, &StreamId::new("User", "alice")?, ExpectedVersion::Any, &events)?;
/// # let fails = |_: &mut SqliteConnection, event: &_| Err(HandlerError::unknown_event_type(event));
/// # Projection::new("mails", 1, fails)
/// #     .on_unknown_event_type(OnFailure::Park)
/// #     .catch_up(&mut conn)?;
/// let first = projection::parked_after(&mut conn, ("mails", 1), Position::START, 1)?;
/// let second = projection::parked_after(&mut conn, ("mails", 1), first[0].position(), 1)?;
/// # assert!(first[0].position() < second[0].position());
/// assert!(projection::parked_after(&mut conn, ("mails", 1), second[0].position(), 1)?.is_empty());
/// # Ok(())
/// # }
/// ```
///
/// [`ProjectionStatus::parked`]: super::ProjectionStatus::parked
pub fn parked_after<C: EventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    position: Position,
    limit: usize,
) -> Result<Vec<ParkedEvent>, ProjectionError> {
    now(some_parked(&mut conn.database(), &projection.into(), position, limit))
}

/// Of a projection that was run at least once.
pub(super) async fn some_parked<D: Partitions + Parked>(
    database: &mut D,
    projection: &ProjectionId,
    position: Position,
    limit: usize,
) -> Result<Vec<ParkedEvent>, ProjectionError> {
    let limit = check_at_least_one("limit", limit)?;
    partitions::known(database, projection).await?;
    Ok(database.parked_after(projection, position, limit).await?)
}

/// Asks for a parked event to be given to the handler again. The worker that has its partition does so within
/// about a second, and continues with the events that are held back behind it. Returns whether the event is
/// parked. Inside a transaction of the application, the worker sees the request after the commit.
///
/// An event that is held back follows by itself once those before it are applied or discarded. Until then, the
/// worker answers a request for it by leaving it where it is.
///
/// # Errors
///
/// [`ProjectionError::Database`].
///
/// ```
/// # use diesel::prelude::*;
/// # use diesel_event_store::{Position, projection};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// assert!(!projection::retry_parked(&mut conn, ("mails", 1), Position::new(7)?)?);
/// # Ok(())
/// # }
/// ```
pub fn retry_parked<C: EventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    position: Position,
) -> Result<bool, ProjectionError> {
    request(conn, projection, position, Request::Retry)
}

/// Asks for a parked event to be passed over for good. The worker that has its partition does so within about
/// a second, and continues with the events that are held back behind it. Returns whether the event is parked.
/// Inside a transaction of the application, the worker sees the request after the commit.
///
/// # Errors
///
/// [`ProjectionError::Database`].
///
/// ```
/// # use diesel::prelude::*;
/// # use diesel_event_store::{Position, projection};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// assert!(!projection::discard_parked(&mut conn, ("mails", 1), Position::new(7)?)?);
/// # Ok(())
/// # }
/// ```
pub fn discard_parked<C: EventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    position: Position,
) -> Result<bool, ProjectionError> {
    request(conn, projection, position, Request::Discard)
}

fn request<C: EventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    position: Position,
    request: Request,
) -> Result<bool, ProjectionError> {
    let projection = projection.into();
    let found = conn.database().request(&projection, position, request)?;
    wake_up::all();
    Ok(found)
}
