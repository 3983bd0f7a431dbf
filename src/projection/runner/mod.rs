//! Runs projections. [`Runner`] starts a manager, whose crew has a member per partition that this worker
//! applies; each follows the log with its partition, and they share the pages of the log that one of them has
//! read. What they do is written once, for crews of threads and for crews of tasks.

mod aside;
mod asked;
mod connections;
pub(super) mod context;
pub(super) mod crew;
pub(super) mod failures;
mod follower;
mod gate;
mod handle;
pub(super) mod health;
pub(super) mod manager;
pub(super) mod options;
mod pace;
mod page_cache;
pub(super) mod partition_crew;
mod patience;
mod predecessor;
pub(super) mod prepare;
pub(super) mod read_ahead;
mod seen;
mod shared_thread;
pub(super) mod signals;
mod spawn;
mod stopping;
mod threads;
mod unless;

use std::time::Duration;

use self::crew::BoxError;
pub use self::handle::RunnerHandle;
use self::options::Options;
use self::prepare::prepare;
use self::threads::{Connect, Threads};
use super::definition::Projection;
use super::error::ProjectionError;
use super::progress::Progress;
use super::runs::Runs;
use crate::storage::connection::EventConnection;
use crate::storage::now::now;

/// Runs projections on threads of its own: each is caught up with the log, and then kept up to date. There is a
/// thread per partition; on SQLite, where only one transaction writes at a time, one per projection.
///
/// A runner that was started is a *worker*. Any number of workers, in any number of processes, can run the
/// same projections: they share the partitions as evenly as possible, and each partition is applied by one
/// worker at a time. A partition that is given back, or whose [lease](Projection::lease) has run out because
/// its worker has died, is taken over within a second. A worker that is started again under a
/// [name](Self::name) of its own does not wait for its old leases.
///
/// A runner needs one connection per partition that it applies, one more, and, while there is much to catch
/// up with, another per projection: a pool must be that large, and [`start`](Self::start) tries it out.
/// Connections must not be in a transaction when they are handed out.
///
/// Appends in the same process wake it up at once. It finds what other processes append by looking: a
/// millisecond after there was nothing new at first, then after ever longer pauses, of a second at most.
///
/// ```
/// use std::time::Duration;
///
/// use diesel::prelude::*;
/// use diesel::sql_types::Text;
/// use diesel_event_store::projection::{self, Projection, Runner};
/// use diesel_event_store::sqlite::Options;
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("shop.db").display().to_string();
/// let connect = move || -> ConnectionResult<SqliteConnection> {
///     let mut conn = SqliteConnection::establish(&path)?;
///     Options::default().apply(&mut conn).expect("the options are applied");
///     Ok(conn)
/// };
/// let mut conn = connect()?;
/// diesel_event_store::run_pending_migrations(&mut conn)?;
/// diesel::sql_query("CREATE TABLE users (email TEXT NOT NULL)").execute(&mut conn)?;
///
/// let users = Projection::new("users", 1, |conn: &mut SqliteConnection, event| {
///     let email: String = event.payload()?;
///     diesel::sql_query("INSERT INTO users VALUES (?)").bind::<Text, _>(email).execute(conn)?;
///     Ok(())
/// });
/// let running = Runner::new(connect).projection(users).start()?;
///
/// let alice = StreamId::new("User", "alice")?;
/// let created = NewEvent::new("UserCreated", &"alice@example.com")?;
/// let appended = EventStore::new().append(&mut conn, &alice, ExpectedVersion::Any, &[created])?;
/// projection::wait_for(&mut conn, ("users", 1), appended.last_position(), Duration::from_secs(10))?;
///
/// running.stop()?;
/// # Ok(())
/// # }
/// ```
pub struct Runner<C: EventConnection + 'static>(Options<Threads<C>>);

impl<C: EventConnection + 'static> Runner<C> {
    /// A runner with a function that opens a connection, or takes one from a pool (`move || pool.get()`).
    pub fn new<E>(connect: impl Fn() -> Result<C, E> + Send + Sync + 'static) -> Self
    where
        E: Into<BoxError>,
    {
        let connect: Connect<C> = Box::new(move || connect().map_err(Into::into));
        Self(Options::new(connect))
    }

    /// One more projection to run. Its handler takes the runner's connections, or, with the feature `r2d2`,
    /// one of diesel's own, where the runner's are taken from a pool. For other wrappers there is
    /// [`Projection::lent_by`].
    pub fn projection<H>(mut self, projection: Projection<H>) -> Self
    where
        C: Runs<H>,
    {
        self.0.projections.push(C::fit(projection));
        self
    }

    /// The worker's name, of 1 to 218 characters. Default: `worker`.
    ///
    /// With a unique id behind it, it is what a [partition's status](super::PartitionStatus::owner) names as
    /// the owner.
    ///
    /// Give a runner a name that no other running one has, such as that of its machine or pod. After a crash
    /// it then takes back at once what it had when it starts again, and does not wait for its old leases to
    /// run out. If another runner of the same name is running after all, that one loses its partitions when
    /// this one starts, with [`LeaseLost`](ProjectionError::LeaseLost); no event is applied twice, and both
    /// go on sharing. Runners with the default name take nothing from each other.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = Some(name.into());
        self
    }

    /// The longest pause before an idle runner looks for new events again: how long an event that another
    /// process appends may have to wait. Default: one second. The pause is never longer than a third of the
    /// projection's [lease](Projection::lease), which an idle worker renews.
    pub fn longest_pause(mut self, pause: Duration) -> Self {
        self.0.longest_pause = pause;
        self
    }

    /// A function to be called whenever a partition has moved on. Default: none.
    ///
    /// It is called on the thread that applies the partition, so it should be quick; on SQLite a slow one holds
    /// up all partitions of the projection. If it panics, the runner goes on.
    pub fn on_progress(mut self, on_progress: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.0.on_progress = Some(Box::new(on_progress));
        self
    }

    /// Starts the threads, and creates the checkpoints of projections that were never run before.
    ///
    /// # Errors
    ///
    /// - [`ProjectionError::Invalid`]: there is no projection, one name comes twice, or an option is out of
    ///   range.
    /// - [`ProjectionError::Connect`]: a connection could not be opened.
    /// - [`ProjectionError::TooFewConnections`]: not as many at the same time as this worker's share of the
    ///   partitions needs. Up to 16 are tried out. A pool whose connections are awaited is waited for at most 30
    ///   seconds for each.
    /// - [`ProjectionError::Thread`]: the system could not start a thread.
    /// - [`ProjectionError::Database`]: the tables are missing, for instance.
    ///
    /// A partition that has stopped before does not hinder the start; [`RunnerHandle::failures`] says so at
    /// once. What goes wrong later is there, too, and in the [`status`](super::status()) of the projection.
    pub fn start(self) -> Result<RunnerHandle, ProjectionError> {
        let context = now(prepare(self.0))?;
        let (signals, failures, health) =
            (context.signals.clone(), context.failures.clone(), context.health.clone());
        let thread = spawn::spawn("projections", move || now(manager::manage(context)))?;
        Ok(RunnerHandle { signals, failures, health, thread: Some(thread) })
    }
}
