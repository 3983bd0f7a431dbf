use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::error::ProjectionError;
use crate::model::log_status::LogStatus;
use crate::model::partition::{Partition, State};
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::log_holders::LogHolders;
use crate::storage::now::now;
use crate::storage::parked::Parked;
use crate::storage::partitions::Partitions;
use crate::storage::places::Places;
use crate::storage::read::Read;
use crate::store::log_status::log_status;

/// The state of a version of a projection at the time of the call to [`status`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectionStatus {
    projection: ProjectionId,
    partitions: Vec<PartitionStatus>,
    log: LogStatus,
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
    failing_since: Option<DateTime<Utc>>,
}

/// Whether a partition is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProjectionState {
    /// A worker applies it.
    Running,
    /// A worker has it and does not get on: it tries the same again. The status says why and since when.
    Retrying,
    /// No worker has it, though it could be applied.
    Idle,
    /// It has stopped at an event that could not be applied.
    Failed,
    /// A newer version was promoted.
    Retired,
    /// No worker was ever to apply it: the application keeps the checkpoint itself, with
    /// [`save_checkpoint`](crate::EventStore::save_checkpoint).
    Manual,
}

/// The state of all projections that were ever run, in the order of their names and versions, and of the
/// checkpoints that the application keeps itself.
///
/// It takes a few statements, two of them per projection. Call it outside a transaction, which may not see
/// how far the log can be read.
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
    now(status_of_all(&mut conn.database()))
}

pub(super) async fn status_of_all<D: Partitions + Parked + Read + Places + LogHolders>(
    database: &mut D,
) -> Result<Vec<ProjectionStatus>, ProjectionError> {
    let rows = database.every_partition().await?;
    let log = log_status(database).await?;
    let mut all = Vec::new();
    for partitions in rows.chunk_by(|one, other| one.key.projection == other.key.projection) {
        all.push(of_projection(database, partitions, &log).await?);
    }
    Ok(all)
}

async fn of_projection<D: Parked + Places>(
    database: &mut D,
    partitions: &[Partition],
    log: &LogStatus,
) -> Result<ProjectionStatus, ProjectionError> {
    let projection = partitions[0].key.projection.clone();
    let mut status = ProjectionStatus {
        partitions: partitions.iter().map(PartitionStatus::of).collect(),
        log: log.clone(),
        lag: Duration::ZERO,
        parked: database.count_parked(&projection).await?,
        projection,
        taken_at: Instant::now(),
    };
    if status.positions_behind() > 0 {
        status.lag = lag(database, status.position()).await?;
    }
    Ok(status)
}

/// How old the first event is that is not applied.
async fn lag<D: Places>(database: &mut D, position: Position) -> Result<Duration, ProjectionError> {
    let age = database.created_after(position).await?.map(|created_at| Utc::now() - created_at);
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

    /// The position of the last event that is committed, whether or not it can be read already.
    pub fn last_position(&self) -> Position {
        self.log.last_committed()
    }

    /// The log as it was at that time: how far it can be read, and who holds it back.
    pub fn log(&self) -> &LogStatus {
        &self.log
    }

    /// How many positions lie between the two. There are no more events to apply than that, those included
    /// that an open transaction [holds back](LogStatus::positions_held_back). A retired version is never
    /// behind.
    pub fn positions_behind(&self) -> i64 {
        if self.is_retired() { 0 } else { (self.last_position().get() - self.position().get()).max(0) }
    }

    /// The age of the first committed event that may not be applied yet, by its `created_at`; zero if there
    /// is none. It says nothing where the application gives events a time of its own.
    pub fn lag(&self) -> Duration {
        self.lag
    }

    /// How much of the log is applied, from 0.0 to 1.0: the progress of a rebuild.
    pub fn fraction(&self) -> f64 {
        let (position, last) = (self.position().get(), self.last_position().get());
        if self.positions_behind() == 0 { 1.0 } else { position as f64 / last as f64 }
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

    /// Whether every partition is applied by a worker, and the log does not [stall](LogStatus::is_stalled). A
    /// projection that no worker runs is not healthy. A retired version always is, and so is a checkpoint
    /// that the application keeps itself: nothing is expected of them.
    pub fn is_healthy(&self) -> bool {
        self.partitions.iter().all(|partition| match partition.state {
            ProjectionState::Running => !self.log.is_stalled(),
            ProjectionState::Retired | ProjectionState::Manual => true,
            ProjectionState::Retrying | ProjectionState::Idle | ProjectionState::Failed => false,
        })
    }

    fn is_retired(&self) -> bool {
        self.partitions.iter().all(|partition| partition.state == ProjectionState::Retired)
    }
}

impl PartitionStatus {
    fn of(partition: &Partition) -> Self {
        let state = match partition.state {
            State::Failed => ProjectionState::Failed,
            State::Retired => ProjectionState::Retired,
            State::Active if partition.owner.is_some() && partition.last_error.is_some() => {
                ProjectionState::Retrying
            }
            State::Active if partition.owner.is_some() => ProjectionState::Running,
            State::Active if partition.is_manual() => ProjectionState::Manual,
            State::Active => ProjectionState::Idle,
        };
        Self {
            number: partition.key.number,
            position: partition.position,
            updated_at: partition.updated_at,
            state,
            owner: partition.owner.clone(),
            last_error: partition.last_error.clone(),
            failing_since: partition.failing.map(|failing| failing.since),
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

    /// Why it has failed, or is tried again.
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// Since when it fails, by the database's clock: when it first could not apply what it has stopped at, or
    /// tries again.
    pub fn failing_since(&self) -> Option<DateTime<Utc>> {
        self.failing_since
    }
}
