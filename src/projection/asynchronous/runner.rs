use std::time::Duration;

use tokio::task::JoinHandle;

use super::tasks::{Connect, Tasks};
use crate::projection::definition::Projection;
use crate::projection::error::ProjectionError;
use crate::projection::kind::Awaits;
use crate::projection::progress::Progress;
use crate::projection::runner::context::Context;
use crate::projection::runner::crew::BoxError;
use crate::projection::runner::failures::Failures;
use crate::projection::runner::health::Health;
use crate::projection::runner::manager::manage;
use crate::projection::runner::options::Options;
use crate::projection::runner::prepare::prepare;
use crate::projection::runner::signals::Signals;
use crate::storage::asynchronous::connection::AsyncEventConnection;

/// Runs projections whose handlers are awaited, as tasks of tokio's: what a [`Runner`](super::super::Runner)
/// does on threads.
///
/// It promises the same, and shares partitions under the same leases, so that runners of both kinds can run one
/// projection together: retries, policies, parked events and the requests of operators included. It is started
/// on a runtime with a timer (`enable_all`), and has a task for itself and one per partition that it applies.
///
/// It learns at once of events that this process appends. What other processes append it finds when it looks:
/// set [`longest_pause`](Self::longest_pause) accordingly. It does not read the log ahead on a connection of its
/// own.
///
/// A pool that waits for as long as it takes, as deadpool's does by default, is waited for at most 30 seconds at
/// a time.
///
/// On SQLite the runtime has to be a multi-thread one, as for everything on a `SyncConnectionWrapper`.
///
#[cfg_attr(all(feature = "async-postgres", feature = "deadpool"), doc = "```no_run")]
#[cfg_attr(not(all(feature = "async-postgres", feature = "deadpool")), doc = "```ignore")]
/// use diesel::sql_types::Text;
/// use diesel_async::pooled_connection::AsyncDieselConnectionManager;
/// use diesel_async::pooled_connection::deadpool::Pool;
/// use diesel_async::{AsyncPgConnection, RunQueryDsl};
/// use diesel_event_store::RecordedEvent;
/// use diesel_event_store::projection::{AsyncRunner, HandlerError, Projection};
///
/// async fn apply(conn: &mut AsyncPgConnection, event: &RecordedEvent) -> Result<(), HandlerError> {
///     let email: String = event.payload()?;
///     diesel::sql_query("INSERT INTO users VALUES ($1)").bind::<Text, _>(email).execute(conn).await?;
///     Ok(())
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new("postgres://localhost/shop");
/// let pool = Pool::builder(manager).max_size(16).build()?;
/// let connect = move || {
///     let pool = pool.clone();
///     async move { pool.get().await }
/// };
/// let users = Projection::awaited("users", 1, apply).event_types(["UserCreated"]).lent_by();
/// let running = AsyncRunner::new(connect).projection(users).start().await?;
///
/// // … until the application shuts down …
/// running.stop().await?;
/// # Ok(())
/// # }
/// ```
pub struct AsyncRunner<C: AsyncEventConnection + 'static>(Options<Tasks<C>>);

impl<C: AsyncEventConnection + 'static> AsyncRunner<C> {
    /// A runner with a function that opens a connection, or takes one from a pool.
    pub fn new<F, E>(connect: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<C, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let connect: Connect<C> = Box::new(move || {
            let connecting = connect();
            Box::pin(async move { connecting.await.map_err(Into::into) })
        });
        Self(Options::new(connect))
    }

    /// One more projection to run, whose handler takes the runner's connections:
    /// [`lent_by`](Projection::lent_by) makes one fit that takes what they lend.
    pub fn projection(mut self, projection: Projection<C, Awaits>) -> Self {
        self.0.projections.push(projection);
        self
    }

    /// The worker's name, as [`Runner::name`](super::super::Runner::name).
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = Some(name.into());
        self
    }

    /// The longest pause before an idle runner looks for new events again. Default: one second. The pause is
    /// never longer than a third of the projection's [lease](Projection::lease).
    pub fn longest_pause(mut self, pause: Duration) -> Self {
        self.0.longest_pause = pause;
        self
    }

    /// A function to be called whenever a partition has moved on. Default: none. It is called in the task that
    /// applies the partition, so it should be quick.
    pub fn on_progress(mut self, on_progress: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.0.on_progress = Some(Box::new(on_progress));
        self
    }

    /// Starts the tasks on the current runtime, and creates the checkpoints of projections that were never run
    /// before. If the future is dropped, nothing runs.
    ///
    /// # Errors
    ///
    /// As [`Runner::start`](super::super::Runner::start), without `Thread`.
    pub async fn start(self) -> Result<AsyncRunnerHandle, ProjectionError> {
        let context = prepare(self.0).await?;
        let Context { signals, failures, health, .. } = &*context;
        let (signals, failures, health) = (signals.clone(), failures.clone(), health.clone());
        let task = tokio::spawn(manage(context));
        Ok(AsyncRunnerHandle { signals, failures, health, task: Some(task) })
    }
}

/// An [`AsyncRunner`] that was started. If it is dropped, the runner stops, too: its tasks finish their batches
/// by themselves, as long as their runtime runs.
pub struct AsyncRunnerHandle {
    signals: Signals,
    failures: Failures,
    health: Health,
    task: Option<JoinHandle<()>>,
}

impl AsyncRunnerHandle {
    /// Stops the runner: batches in hand are finished, partitions are given back, tasks end. No task is
    /// aborted, also if this future is dropped. A runtime that is shut down before it is ready drops the tasks;
    /// their batches are rolled back, and their partitions stay leased for a while.
    ///
    /// # Errors
    ///
    /// The first failure that [`failures`](Self::failures) has not returned yet, if there is one.
    pub async fn stop(mut self) -> Result<(), ProjectionError> {
        self.signals.stop();
        if let Some(task) = self.task.take() {
            if let Some(panic) = task.await.err().and_then(|error| error.try_into_panic().ok()) {
                std::panic::resume_unwind(panic);
            }
        }
        self.failures().into_iter().next().map_or(Ok(()), Err)
    }

    /// What has gone wrong since the last call, as
    /// [`RunnerHandle::failures`](super::super::RunnerHandle::failures).
    pub fn failures(&self) -> Vec<ProjectionError> {
        self.failures.take()
    }

    /// Whether it is still running. It ends by itself only if one of its own tasks has panicked, or the runtime
    /// is shut down.
    pub fn is_running(&self) -> bool {
        self.task.as_ref().is_some_and(|task| !task.is_finished())
    }

    /// Whether the runner is running, reaches the database, and knows of no partition that has stopped or is
    /// tried again and again, as [`RunnerHandle::is_healthy`](super::super::RunnerHandle::is_healthy).
    pub fn is_healthy(&self) -> bool {
        self.is_running() && self.health.is_good()
    }
}

impl Drop for AsyncRunnerHandle {
    fn drop(&mut self) {
        self.signals.stop();
    }
}
