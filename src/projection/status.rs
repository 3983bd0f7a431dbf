use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::error::ProjectionError;
use crate::model::log::LogQuery;
use crate::model::partition::{Partition, State};
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::store::EventStore;

/// The state of a version of a projection at the time of the call to [`status`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectionStatus {
    projection: ProjectionId,
    partitions: Vec<PartitionStatus>,
    last_position: Position,
    lag: Duration,
    parked: i64,
    taken_at: Instant,
}

/// The state of a partition of a projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionStatus {
    number: i32,
    position: Position,
    updated_at: DateTime<Utc>,
    state: ProjectionState,
    owner: Option<String>,
    last_error: Option<String>,
}

/// Whether a partition is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProjectionState {
    /// A worker applies it.
    Running,
    /// No worker has it, though it could be applied.
    Idle,
    /// It has stopped at an event that could not be applied.
    Failed,
    /// A newer version was promoted.
    Retired,
}

/// The state of all projections that were ever run, in the order of their names and versions.
///
/// It takes a few statements, two of them per projection.
///
/// # Errors
///
/// [`ProjectionError::Database`].
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::projection::{self, Projection};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # Projection::new("users", 1, |_conn: &mut SqliteConnection, _event| Ok(())).catch_up(&mut conn)?;
/// for status in projection::status(&mut conn)? {
///     println!("{} is {} positions behind", status.projection(), status.positions_behind());
///     if !status.is_healthy() {
///         println!("{} needs attention", status.projection());
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub fn status<C: EventConnection + ?Sized>(conn: &mut C) -> Result<Vec<ProjectionStatus>, ProjectionError> {
    let rows = conn.database().every_partition()?;
    let last_position = conn.database().last_position()?;
    rows.chunk_by(|one, other| one.key.projection == other.key.projection)
        .map(|partitions| of_projection(conn, partitions, last_position))
        .collect()
}

fn of_projection<C: EventConnection + ?Sized>(
    conn: &mut C,
    partitions: &[Partition],
    last_position: Position,
) -> Result<ProjectionStatus, ProjectionError> {
    let projection = partitions[0].key.projection.clone();
    let position = partitions.iter().map(|partition| partition.position).min().unwrap_or_default();
    Ok(ProjectionStatus {
        partitions: partitions.iter().map(PartitionStatus::of).collect(),
        last_position,
        lag: lag(conn, position)?,
        parked: conn.database().count_parked(&projection)?,
        projection,
        taken_at: Instant::now(),
    })
}

/// How old the first event is that is not applied.
fn lag<C: EventConnection + ?Sized>(conn: &mut C, position: Position) -> Result<Duration, ProjectionError> {
    let slice = EventStore::new().read_log(conn, &LogQuery::after(position), 1)?;
    let age = slice.events().first().map(|event| Utc::now() - event.created_at());
    Ok(age.and_then(|age| age.to_std().ok()).unwrap_or_default())
}

impl ProjectionStatus {
    /// The projection.
    pub fn projection(&self) -> &ProjectionId {
        &self.projection
    }

    /// The state of each partition, in the order of their numbers.
    pub fn partitions(&self) -> &[PartitionStatus] {
        &self.partitions
    }

    /// Everything up to here is applied by all partitions.
    pub fn position(&self) -> Position {
        self.partitions.iter().map(PartitionStatus::position).min().unwrap_or_default()
    }

    /// Where the log ends.
    pub fn last_position(&self) -> Position {
        self.last_position
    }

    /// How many positions lie between the two. There are no more events to apply than that.
    pub fn positions_behind(&self) -> i64 {
        (self.last_position.get() - self.position().get()).max(0)
    }

    /// The age of the first event that may not be applied yet, by its `created_at`; zero if there is none. It
    /// says nothing where the application gives events a time of its own.
    pub fn lag(&self) -> Duration {
        self.lag
    }

    /// How much of the log is applied, from 0.0 to 1.0: the progress of a rebuild.
    pub fn fraction(&self) -> f64 {
        let (position, last) = (self.position().get(), self.last_position.get());
        if last <= position { 1.0 } else { position as f64 / last as f64 }
    }

    /// How many positions per second it has moved on since an earlier status: the speed of a rebuild.
    pub fn positions_per_second(&self, earlier: &Self) -> f64 {
        let moved = self.position().get() - earlier.position().get();
        let seconds = self.taken_at.saturating_duration_since(earlier.taken_at).as_secs_f64();
        if seconds > 0.0 { moved as f64 / seconds } else { 0.0 }
    }

    /// How long it will take to come to the end of the log, at the speed since an earlier status; `None` if
    /// it has not moved.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::projection::{self, Projection};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mut conn = SqliteConnection::establish(":memory:")?;
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// # let users = Projection::new("users", 2, |_conn: &mut SqliteConnection, _event| Ok(()));
    /// # users.catch_up(&mut conn)?;
    /// let earlier = projection::status(&mut conn)?.remove(0);
    /// // … some seconds later
    /// let status = projection::status(&mut conn)?.remove(0);
    /// println!("{:.0} %, {:?} left", 100.0 * status.fraction(), status.time_left(&earlier));
    /// # Ok(())
    /// # }
    /// ```
    pub fn time_left(&self, earlier: &Self) -> Option<Duration> {
        if self.positions_behind() == 0 {
            return Some(Duration::ZERO);
        }
        let seconds = self.positions_behind() as f64 / self.positions_per_second(earlier);
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// How many events are parked, those that are held back included.
    pub fn parked(&self) -> i64 {
        self.parked
    }

    /// Whether every partition is applied by a worker, or the version is retired. A projection that no worker
    /// runs is not healthy.
    pub fn is_healthy(&self) -> bool {
        let is_fine = |partition: &PartitionStatus| {
            matches!(partition.state, ProjectionState::Running | ProjectionState::Retired)
        };
        self.partitions.iter().all(is_fine)
    }
}

impl PartitionStatus {
    fn of(partition: &Partition) -> Self {
        let state = match partition.state {
            State::Failed => ProjectionState::Failed,
            State::Retired => ProjectionState::Retired,
            State::Active if partition.owner.is_some() => ProjectionState::Running,
            State::Active => ProjectionState::Idle,
        };
        Self {
            number: partition.key.number,
            position: partition.position,
            updated_at: partition.updated_at,
            state,
            owner: partition.owner.clone(),
            last_error: partition.last_error.clone(),
        }
    }

    /// The number, from 0.
    pub fn number(&self) -> i32 {
        self.number
    }

    /// Everything up to here is applied.
    pub fn position(&self) -> Position {
        self.position
    }

    /// When the position was saved, by the clock of the worker's machine.
    pub fn updated_at(&self) -> DateTime<Utc> {
        self.updated_at
    }

    /// Whether it is applied.
    pub fn state(&self) -> ProjectionState {
        self.state
    }

    /// The worker that applies it.
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// Why it has failed.
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }
}
