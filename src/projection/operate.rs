//! What an operator does with projections. None of it needs their handlers.

use std::time::{Duration, Instant};

use super::activity::refuse_inactive;
use super::error::ProjectionError;
use super::partitions;
use crate::model::partition::Partition;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::now::now;
use crate::storage::partitions::Partitions;

/// Waits until a projection has applied everything up to a position: to read your own writes, wait for the
/// position of the append.
///
/// Do not call it inside a transaction, which may not see what is committed meanwhile. The call keeps the
/// connection (one from a pool is not given back) and its thread for as long as it waits, and holds no
/// transaction and no lock. It asks after a millisecond, and then ever less often, at least every 50
/// milliseconds. Where many requests would wait at once, ask [`has_reached`] and let the client come again.
///
/// # Errors
///
/// - [`ProjectionError::Unknown`]: the projection was never run, so waiting may be in vain. A
///   [`Runner`](super::Runner) that has started has created it.
/// - [`ProjectionError::TimedOut`]: the projection did not reach the position within `longest`.
/// - [`ProjectionError::HasFailed`], [`ProjectionError::Retired`]: it will not reach the position.
/// - [`ProjectionError::Database`].
///
/// ```
/// use std::time::Duration;
///
/// use diesel::prelude::*;
/// use diesel_event_store::projection::{self, Projection, ProjectionError};
/// use diesel_event_store::{EventStore, Position};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let mails = Projection::new("mails", 1, |_conn: &mut SqliteConnection, _event| Ok(()));
/// mails.catch_up(&mut conn)?;
/// let never = projection::wait_for(&mut conn, ("mails", 1), Position::new(7)?, Duration::from_millis(10));
/// assert!(matches!(never, Err(ProjectionError::TimedOut { .. })));
/// # Ok(())
/// # }
/// ```
pub fn wait_for<C: EventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    position: Position,
    longest: Duration,
) -> Result<(), ProjectionError> {
    let projection = projection.into();
    let mut waiting = Waiting::for_position(position, longest);
    loop {
        let partitions = now(partitions::known(&mut conn.database(), &projection))?;
        match waiting.pause(&projection, &partitions)? {
            Some(pause) => std::thread::sleep(pause),
            None => return Ok(()),
        }
    }
}

/// Until a projection has reached a position.
pub(super) struct Waiting {
    wanted: Position,
    longest: Duration,
    begin: Instant,
    pause: Duration,
}

impl Waiting {
    pub(super) fn for_position(wanted: Position, longest: Duration) -> Self {
        Self { wanted, longest, begin: Instant::now(), pause: Duration::from_millis(1) }
    }

    /// Before the next look, unless it has.
    pub(super) fn pause(
        &mut self,
        projection: &ProjectionId,
        partitions: &[Partition],
    ) -> Result<Option<Duration>, ProjectionError> {
        let (reached, wanted) = (reached(partitions), self.wanted);
        if reached >= wanted {
            return Ok(None);
        }
        partitions.iter().try_for_each(refuse_inactive)?;
        let waited = self.begin.elapsed();
        let left = self.longest.saturating_sub(waited);
        if left.is_zero() {
            let projection = projection.clone();
            return Err(ProjectionError::TimedOut { projection, reached, wanted, waited });
        }
        let pause = self.pause.min(left);
        self.pause = (self.pause * 2).min(Duration::from_millis(50));
        Ok(Some(pause))
    }
}

/// Whether a projection has applied everything up to a position. It asks once and does not wait:
/// [`wait_for`] does.
///
/// A partition that has stopped and a retired version have reached what they have applied, and no more:
/// [`status`](super::status()) says which they are. Inside a transaction it answers as that sees the
/// database.
///
/// # Errors
///
/// [`ProjectionError::Unknown`], [`ProjectionError::Database`].
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::Position;
/// use diesel_event_store::projection::{self, Projection};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let mails = Projection::new("mails", 1, |_conn: &mut SqliteConnection, _event| Ok(()));
/// mails.catch_up(&mut conn)?;
/// assert!(!projection::has_reached(&mut conn, ("mails", 1), Position::new(7)?)?);
/// # Ok(())
/// # }
/// ```
pub fn has_reached<C: EventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    position: Position,
) -> Result<bool, ProjectionError> {
    Ok(reached(&now(partitions::known(&mut conn.database(), &projection.into()))?) >= position)
}

/// By all partitions.
pub(super) fn reached(partitions: &[Partition]) -> Position {
    partitions.iter().map(|partition| partition.position).min().unwrap_or(Position::START)
}

/// Resumes partitions that have [failed](super::OnFailure::Stop), with the event at which they have stopped.
/// Returns how many they are. Inside a transaction of the application, workers see it after the commit.
///
/// # Errors
///
/// [`ProjectionError::Unknown`], [`ProjectionError::Database`].
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::projection::{self, Projection};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # Projection::new("users", 1, |_conn: &mut SqliteConnection, _event| Ok(())).catch_up(&mut conn)?;
/// assert_eq!(projection::resume(&mut conn, ("users", 1))?, 0);
/// # Ok(())
/// # }
/// ```
pub fn resume<C: EventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
) -> Result<usize, ProjectionError> {
    now(resume_failed(&mut conn.database(), &projection.into()))
}

/// How many there were.
pub(super) async fn resume_failed<D: Partitions>(
    database: &mut D,
    projection: &ProjectionId,
) -> Result<usize, ProjectionError> {
    partitions::known(database, projection).await?;
    Ok(database.resume(projection).await?)
}
