use std::error::Error as StdError;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::claims::partitions;
use super::crew::Crew;
use super::definition::Projection;
use super::error::ProjectionError;
use super::progress::Progress;
use crate::model::invalid::{InvalidInput, MAX_NAME_LENGTH, Problem, check_name};
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::listener::Listener;
use crate::store::wake;

pub(super) type ConnectError = Box<dyn StdError + Send + Sync>;
type Connect<C> = dyn Fn() -> Result<C, ConnectError> + Send + Sync;
type OnProgress = dyn Fn(&Progress) + Send + Sync;

/// There must be room for the unique id, and a space before it.
const LONGEST_NAME: usize = MAX_NAME_LENGTH - 37;

/// How long an idle worker sleeps at most, unless it is given.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Runs projections on threads of its own: each is caught up with the log, and then kept up to date.
///
/// Any number of processes can run the same projections: they share the partitions, as fairly as these can be shared, and each
/// partition is applied by one of them at a time. The others take over when one dies, after its
/// [lease](Projection::lease) has run out.
///
/// It needs a connection for each partition that it applies, one more, and, while there is much to catch up with, another for each
/// projection: a pool must be that large. Connections must not be in a transaction when they are handed out.
///
/// Appends in the same process wake it at once. What other processes append it finds by looking: at first a millisecond after
/// there was nothing new, then after ever longer pauses, of a second at most.
///
/// ```
/// use std::time::Duration;
///
/// use diesel::prelude::*;
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
///     diesel::sql_query("INSERT INTO users VALUES (?)").bind::<diesel::sql_types::Text, _>(email).execute(conn)?;
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
pub struct Runner<C> {
    pub(super) connect: Box<Connect<C>>,
    projections: Vec<Projection<C>>,
    name: String,
    pub(super) longest_pause: Duration,
    on_progress: Option<Box<OnProgress>>,
}

impl<C: EventConnection + 'static> Runner<C> {
    /// A runner with a function that opens a connection, or takes one from a pool (`move || pool.get()`).
    pub fn new<E>(connect: impl Fn() -> Result<C, E> + Send + Sync + 'static) -> Self
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        Self {
            connect: Box::new(move || connect().map_err(Into::into)),
            projections: Vec::new(),
            name: "worker".to_owned(),
            longest_pause: LONGEST_PAUSE,
            on_progress: None,
        }
    }

    /// One more projection to be run.
    pub fn projection(mut self, projection: Projection<C>) -> Self {
        self.projections.push(projection);
        self
    }

    /// How the worker is called where the owners of partitions are listed: `worker`, unless it is given. A unique id is added.
    /// It can be 218 characters long.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The longest pause of an idle worker before it looks for new events again, that is what an event of another process may
    /// have to wait: a second unless it is given.
    pub fn longest_pause(mut self, pause: Duration) -> Self {
        self.longest_pause = pause;
        self
    }

    /// Is called whenever a partition has come further, on the thread that applies it: so it should be quick. If it panics, that
    /// stops nothing.
    pub fn on_progress(mut self, on_progress: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.on_progress = Some(Box::new(on_progress));
        self
    }

    /// Starts the threads, and creates the checkpoints of projections that nobody has run before.
    ///
    /// # Errors
    ///
    /// - [`ProjectionError::Invalid`]: no projection, the same name twice, or a projection that cannot be.
    /// - [`ProjectionError::Connect`]: no connection could be had.
    /// - [`ProjectionError::Database`]: the tables are missing, for instance.
    ///
    /// What goes wrong later is in [`RunnerHandle::failures`], and in the [`status`](super::status()) of the projection.
    pub fn start(self) -> Result<RunnerHandle, ProjectionError> {
        self.validate()?;
        let mut conn = (self.connect)().map_err(ProjectionError::Connect)?;
        for projection in &self.projections {
            partitions(&mut conn, projection)?;
        }
        let (signal, signals) = mpsc::channel();
        let worker = format!("{} {}", self.name, Uuid::now_v7());
        let failures = Arc::new(Mutex::new(Vec::new()));
        let shop =
            Arc::new(Shop { runner: self, worker, signal: signal.clone(), failures: Arc::clone(&failures) });
        let thread = spawn("projections", move || manage(&shop, &signals));
        Ok(RunnerHandle { signal, failures, thread: Some(thread) })
    }

    fn validate(&self) -> Result<(), InvalidInput> {
        check_name("name", &self.name)?;
        let length = self.name.chars().count();
        if length > LONGEST_NAME {
            return Err(InvalidInput::new("name", Problem::TooLong { length, limit: LONGEST_NAME }));
        }
        if self.projections.is_empty() {
            return Err(InvalidInput::new("projections", Problem::Empty));
        }
        for (number, projection) in self.projections.iter().enumerate() {
            projection.validate()?;
            let name = projection.id().name();
            if self.projections[..number].iter().any(|other| other.id().name() == name) {
                let problem = Problem::Repeated { name: name.to_owned() };
                return Err(InvalidInput::new("projections", problem));
            }
        }
        Ok(())
    }
}

/// A runner that was started. Dropping it stops it, too.
pub struct RunnerHandle {
    signal: Sender<Signal>,
    failures: Arc<Mutex<Vec<ProjectionError>>>,
    thread: Option<JoinHandle<()>>,
}

impl RunnerHandle {
    /// Stops: batches in hand are finished, partitions are given back, threads end.
    ///
    /// # Errors
    ///
    /// The first failure, if there was one that nobody has taken with [`failures`](Self::failures).
    pub fn stop(mut self) -> Result<(), ProjectionError> {
        self.join();
        self.failures().into_iter().next().map_or(Ok(()), Err)
    }

    /// What has gone wrong since the last call: partitions that have failed or were lost, and errors of the database after
    /// which the runner has tried again.
    pub fn failures(&self) -> Vec<ProjectionError> {
        std::mem::take(&mut self.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it is still running. It ends by itself only if one of its own threads has panicked.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    fn join(&mut self) {
        // If nobody listens any more, it has ended.
        let _ = self.signal.send(Signal::Stop);
        let Some(thread) = self.thread.take() else { return };
        if let Err(panic) = thread.join() {
            panic::resume_unwind(panic);
        }
    }
}

impl Drop for RunnerHandle {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.join();
        }
    }
}

/// What the thread that manages the others is told.
pub(super) enum Signal {
    Stop,
    /// A worker has ended.
    Ended,
}

/// What the threads of a runner have in common.
pub(super) struct Shop<C> {
    pub(super) runner: Runner<C>,
    /// By which this runner is known among all that run the same projections.
    pub(super) worker: String,
    signal: Sender<Signal>,
    failures: Arc<Mutex<Vec<ProjectionError>>>,
}

/// What was not taken by then is forgotten, the oldest first.
const MOST_FAILURES: usize = 1000;

impl<C> Shop<C> {
    pub(super) fn has_failed(&self, error: ProjectionError) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() == MOST_FAILURES {
            failures.remove(0);
        }
        failures.push(error);
    }

    pub(super) fn has_progressed(&self, progress: &Progress) {
        let Some(on_progress) = &self.runner.on_progress else { return };
        // The panic's hook has told of it, and what is applied is committed already.
        let _ = panic::catch_unwind(AssertUnwindSafe(|| on_progress(progress)));
    }

    /// The manager may have ended already.
    pub(super) fn has_ended(&self) {
        let _ = self.signal.send(Signal::Ended);
    }
}

pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work).expect("the system has a thread left")
}

/// Claims partitions, and gives them back, until it is stopped.
fn manage<C: EventConnection + 'static>(shop: &Arc<Shop<C>>, signals: &Receiver<Signal>) {
    let mut crews: Vec<Crew<C>> =
        (0..shop.runner.projections.len()).map(|index| Crew::new(shop, index)).collect();
    let tick = shop.runner.projections.iter().map(|projection| projection.lease / 3).min();
    let tick = tick.expect("there is a projection").max(Duration::from_millis(10));
    let mut conn = None;
    loop {
        if let Err(error) = adjust(shop, &mut crews, &mut conn) {
            shop.has_failed(error);
            conn = None;
        }
        if wait(signals, tick, &mut conn) == Next::Stop {
            break;
        }
    }
    crews.iter_mut().for_each(Crew::ask_to_stop);
    wake::hint();
    crews.iter_mut().for_each(Crew::join);
    if let Some((conn, _)) = &mut conn {
        // If it cannot say good-bye, it will be forgotten.
        crews.iter().for_each(|crew| drop(crew.leave(conn)));
    }
}

/// A connection, and how news from other processes come by it.
type Listening<C> = Option<(C, Listener)>;

fn adjust<C: EventConnection + 'static>(
    shop: &Arc<Shop<C>>,
    crews: &mut [Crew<C>],
    conn: &mut Listening<C>,
) -> Result<(), ProjectionError> {
    let (conn, _) = match conn {
        Some(listening) => listening,
        None => conn.insert(listen((shop.runner.connect)().map_err(ProjectionError::Connect)?)?),
    };
    crews.iter_mut().try_for_each(|crew| crew.adjust(conn))
}

fn listen<C: EventConnection>(mut conn: C) -> Result<(C, Listener), ProjectionError> {
    let listener = conn.database().listen()?;
    Ok((conn, listener))
}

#[derive(PartialEq)]
enum Next {
    Adjust,
    Stop,
}

/// How often it is looked whether another process has news.
const LISTEN_EVERY: Duration = Duration::from_millis(5);

/// Until there is a signal, for so long at most. Passes on news meanwhile.
fn wait<C: EventConnection>(signals: &Receiver<Signal>, tick: Duration, conn: &mut Listening<C>) -> Next {
    let end = Instant::now() + tick;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let pause = if conn.is_some() { left.min(LISTEN_EVERY) } else { left };
        match signals.recv_timeout(pause) {
            Ok(Signal::Ended) => return Next::Adjust,
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return Next::Stop,
            Err(RecvTimeoutError::Timeout) if left.is_zero() => return Next::Adjust,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Some((conn, listener)) = conn
            && conn.database().has_news(listener)
        {
            wake::hint();
        }
    }
}

impl<C> Runner<C> {
    pub(super) fn nth(&self, index: usize) -> &Projection<C> {
        &self.projections[index]
    }
}
