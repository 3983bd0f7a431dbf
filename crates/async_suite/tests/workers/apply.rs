//! The process that applies the projection, with a runner of threads and one of tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use diesel::{Connection, QueryResult, SqliteConnection};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, AsyncMysqlConnection, AsyncPgConnection, RunQueryDsl};
use diesel_event_store::projection::{
    AsyncHandler, AsyncRunner, HandlerError, OnFailure, Projection, ProjectionError, Runner,
};
use diesel_event_store::sqlite::Options;
use diesel_event_store::uuid::Uuid;
use diesel_event_store::{AsyncConnectionRef, AsyncEventConnection, RecordedEvent};
use test_support::random::Random;
use test_support::worker::{order, report};
use tokio::runtime::{Builder, Runtime};

use super::accounts::{self, NAME, Payload};
use super::client::{Client, Job, on_database};
use super::crew::SHORT_LEASE;

const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Applies the projection until it is told to stop. With how many partitions it begins is an argument, and
/// its lease in milliseconds.
pub fn apply(url: &str, arguments: &[String]) {
    let [partitions, lease] = arguments else { panic!("apply URL PARTITIONS LEASE") };
    let partitions = partitions.parse().expect("a number of partitions");
    let lease = Duration::from_millis(lease.parse().expect("a number of milliseconds"));
    on_database(url, Apply { partitions, lease });
}

#[derive(Clone, Copy)]
struct Apply {
    partitions: i32,
    lease: Duration,
}

impl Job for Apply {
    fn run<C: Client>(self, url: &str) {
        let names = [(); 2].map(|()| Uuid::now_v7().to_string());
        let mut conn = C::open(url).expect("the database is there");
        for name in &names {
            accounts::begin_total(&mut conn, name).expect("it is the first with this name");
        }
        let [of_threads, of_tasks] = names;
        let opens = url.to_owned();
        let blocking = Runner::new(move || C::open(&opens))
            .projection(self.tell(Projection::new(NAME, 1, move |conn: &mut C, event| {
                accounts::apply(conn, &of_threads, event)
            })))
            .longest_pause(LONGEST_PAUSE)
            .start()
            .expect("it starts");
        let is_over = Arc::new(AtomicBool::new(false));
        let cut_off = thread::spawn({
            let (url, is_over) = (url.to_owned(), Arc::clone(&is_over));
            move || self.run_tasks(&url, &of_tasks, &is_over)
        });
        report("ready");
        order();
        is_over.store(true, Ordering::Relaxed);
        cut_off.join().expect("it ends in good order");
        check(&blocking.failures());
        check(blocking.stop().err().as_slice());
    }
}

impl Apply {
    fn tell<C, K: diesel_event_store::projection::Kind>(
        self,
        projection: Projection<C, K>,
    ) -> Projection<C, K> {
        projection
            .partitions(self.partitions)
            .lease(self.lease)
            .batch_size(20)
            .on_failure(OnFailure::Park)
            .retries(0, Duration::ZERO)
    }

    fn run_tasks(self, url: &str, worker: &str, is_over: &AtomicBool) {
        match url.split_once("://") {
            Some(("mysql", _)) => self.cut_off::<AsyncMysqlConnection>(url, worker, is_over),
            Some(_) => self.cut_off::<AsyncPgConnection>(url, worker, is_over),
            None => self.cut_off::<SyncConnectionWrapper<SqliteConnection>>(url, worker, is_over),
        }
    }

    /// Its runtime is shut down again and again in the middle of whatever it does; at last it stops in good
    /// order.
    fn cut_off<C: Opens>(self, url: &str, worker: &str, is_over: &AtomicBool) {
        let mut random = Random::for_test(worker);
        loop {
            let runtime = runtime();
            let projection = self.tell(Projection::awaited(NAME, 1, Accounts { worker: worker.to_owned() }));
            let opens = url.to_owned();
            let runner = AsyncRunner::new(move || {
                let url = opens.clone();
                async move { C::open(&url).await }
            });
            let started = runner.projection(projection).longest_pause(LONGEST_PAUSE).start();
            let running = runtime.block_on(started).expect("it starts");
            let shut_down_at = Instant::now() + Duration::from_millis(200 + random.below(600));
            // A lease that does not run out in time would be in the way of all that follows.
            let to_shut_down = || self.lease <= SHORT_LEASE && Instant::now() >= shut_down_at;
            while !is_over.load(Ordering::Relaxed) && !to_shut_down() {
                thread::sleep(Duration::from_millis(10));
            }
            if is_over.load(Ordering::Relaxed) {
                check(&running.failures());
                return check(runtime.block_on(running.stop()).err().as_slice());
            }
            runtime.shutdown_background();
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts")
}

/// That a partition was taken over is what these tests are about.
fn check(failures: &[ProjectionError]) {
    let wrong = failures.iter().find(|failure| !is_expected(failure));
    assert!(wrong.is_none(), "{wrong:?}");
}

trait Opens: AsyncEventConnection + 'static {
    fn open(url: &str) -> impl Future<Output = test_support::Result<Self>> + Send
    where
        Self: Sized;
}

impl Opens for AsyncPgConnection {
    async fn open(url: &str) -> test_support::Result<Self> {
        Ok(Self::establish(url).await?)
    }
}

impl Opens for AsyncMysqlConnection {
    async fn open(url: &str) -> test_support::Result<Self> {
        Ok(Self::establish(url).await?)
    }
}

/// A runtime that is shut down waits for what its connections do, also for the write lock of SQLite, which a
/// task may hold that is still to be dropped: so none waits for long.
impl Opens for SyncConnectionWrapper<SqliteConnection> {
    async fn open(url: &str) -> test_support::Result<Self> {
        let mut conn = SqliteConnection::establish(url)?;
        Options::default().busy_timeout(Duration::from_millis(500)).apply(&mut conn)?;
        Ok(Self::new(conn))
    }
}

/// Applies an event that must come right after the one before it in its aggregate.
struct Accounts {
    worker: String,
}

impl<C: AsyncEventConnection + 'static> AsyncHandler<C> for Accounts {
    async fn handle(&self, conn: &mut C, event: &RecordedEvent) -> Result<(), HandlerError> {
        let (worker, id, version) = (&self.worker, event.aggregate_id(), event.version());
        let (amount, _): Payload = event.payload()?;
        let position = event.position();
        let insert =
            format!("INSERT INTO applied VALUES ('{worker}', {position}, '{id}', {version}, {amount})");
        execute(conn, &insert).await?;
        let add = match version {
            1 => format!("INSERT INTO sums VALUES ('{id}', 1, {amount})"),
            _ => format!(
                "UPDATE sums SET total = total + {amount}, last_version = {version} \
                 WHERE aggregate_id = '{id}' AND last_version = {version} - 1"
            ),
        };
        if execute(conn, &add).await? != 1 {
            let error = format!("version {version} of {id} does not follow its predecessor");
            return Err(HandlerError::failed(error));
        }
        let total = format!("UPDATE totals SET total = total + {amount} WHERE worker = '{worker}'");
        execute(conn, &total).await?;
        Ok(())
    }
}

async fn execute<C: AsyncEventConnection>(conn: &mut C, sql: &str) -> QueryResult<usize> {
    let query = diesel::sql_query(sql);
    match conn.lend() {
        AsyncConnectionRef::Sqlite(conn) => query.execute(conn).await,
        AsyncConnectionRef::Postgres(conn) => query.execute(conn).await,
        AsyncConnectionRef::Mysql(conn) => query.execute(conn).await,
        _ => unreachable!("the tests do not know this database"),
    }
}

/// On a busy machine a handler may take longer than a short lease.
fn is_expected(failure: &ProjectionError) -> bool {
    failure.is_retryable() || matches!(failure, ProjectionError::HasNotReturned { .. })
}
