use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_suite::{BoxError, RUNTIME};
use real::projection::{
    self, AsyncHandler, AsyncRunner, HandlerError, OnFailure, Projection, ProjectionError,
};
use real::{AsyncEventConnection, EventStore, RecordedEvent};
use support::{Result, eventually, execute, wait_for_projection};
use tokio::sync::{Notify, Semaphore};

use super::database::{Database, on_each_database};
use super::read_model::{
    NAME, append, application, applied, insert, name_of, reached, run, users, versions_of,
};

on_each_database! {
    events_are_applied_as_they_are_appended:
        events_are_applied_as_they_are_appended_postgres, events_are_applied_as_they_are_appended_mysql;
    a_runner_that_stops_while_a_handler_runs_finishes_the_batch:
        a_runner_that_stops_while_a_handler_runs_finishes_the_batch_postgres,
        a_runner_that_stops_while_a_handler_runs_finishes_the_batch_mysql;
    what_operators_ask_for_is_served:
        what_operators_ask_for_is_served_postgres, what_operators_ask_for_is_served_mysql;
    a_partition_that_stops_goes_on_when_it_is_resumed:
        a_partition_that_stops_goes_on_when_it_is_resumed_postgres,
        a_partition_that_stops_goes_on_when_it_is_resumed_mysql;
    a_runtime_that_is_shut_down_leaves_nothing_half_applied:
        a_runtime_that_is_shut_down_leaves_nothing_half_applied_postgres,
        a_runtime_that_is_shut_down_leaves_nothing_half_applied_mysql;
}

/// With connections to the database.
pub fn runner<D: Database>(database: &Arc<D>) -> AsyncRunner<D::Awaited> {
    let database = Arc::clone(database);
    AsyncRunner::new(move || {
        let database = Arc::clone(&database);
        async move { database.open().await }
    })
}

fn events_are_applied_as_they_are_appended<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    let database = Arc::new(database);
    // The pause is longer than the test takes: it is the wake-ups that count.
    let runner = runner(&database).projection(users::<D>().partitions(3)).longest_pause(Duration::MAX);
    let running = RUNTIME.block_on(runner.start())?;
    for _ in 0..10 {
        append(&mut witness, "alice", 2)?;
        let last = append(&mut witness, "bob", 1)?.last_position();
        wait_for_projection(&mut witness, (NAME, 1), last)?;
    }
    assert!(running.is_healthy());
    RUNTIME.block_on(running.stop())?;

    let applied = applied(&mut witness)?;
    assert_eq!(versions_of(&applied, "alice"), (1..=20).collect::<Vec<_>>());
    assert_eq!(versions_of(&applied, "bob"), (1..=10).collect::<Vec<_>>());
    let status = projection::status(&mut witness)?;
    assert!(status[0].partitions().iter().all(|partition| partition.owner().is_none()), "{status:?}");
    Ok(())
}

/// Says that it has begun, and goes on once it may.
#[derive(Clone)]
struct Slow {
    has_begun: Arc<Notify>,
    may_go_on: Arc<Semaphore>,
    calls: Arc<AtomicUsize>,
}

impl Slow {
    fn new() -> Self {
        Self { has_begun: Arc::default(), may_go_on: Arc::new(Semaphore::new(0)), calls: Arc::default() }
    }
}

impl<C: AsyncEventConnection + 'static> AsyncHandler<C> for Slow {
    async fn handle(&self, conn: &mut C, event: &RecordedEvent) -> Result<(), HandlerError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        insert(conn, event).await?;
        self.has_begun.notify_one();
        let _permit = self.may_go_on.acquire().await?;
        Ok(())
    }
}

fn a_runner_that_stops_while_a_handler_runs_finishes_the_batch<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, "alice", 9)?;
    let slow = Slow::new();
    let projection = Projection::awaited(NAME, 1, slow.clone()).batch_size(2);
    let database = Arc::new(database);
    let runner = runner(&database).projection(projection);
    RUNTIME.block_on(async {
        let running = runner.start().await?;
        slow.has_begun.notified().await;
        let stopping = tokio::spawn(running.stop());
        tokio::task::yield_now().await;
        slow.may_go_on.add_permits(1);
        stopping.await??;
        Ok::<_, BoxError>(())
    })?;
    // Nothing was aborted: every call has left its row.
    let applied = applied(&mut witness)?;
    assert_eq!(applied.len(), slow.calls.load(Ordering::SeqCst));
    let reached = reached(&mut witness)?;
    let up_to_there = support::count(&mut witness, &format!("events WHERE global_position <= {reached}"))?;
    assert_eq!(versions_of(&applied, "alice"), (1..=up_to_there).collect::<Vec<_>>());
    assert!(up_to_there >= 2, "the batch in hand has two events");
    assert!(projection::status(&mut witness)?[0].partitions()[0].owner().is_none());
    Ok(())
}

/// Fails at the first event, after its row was written, until it is mended.
async fn first_fails<C: AsyncEventConnection>(
    conn: &mut C,
    event: &RecordedEvent,
) -> Result<(), HandlerError> {
    insert(conn, event).await?;
    if name_of(event) != "alice 1" {
        return Ok(());
    }
    match run(conn, "UPDATE applied SET name = 'mended' WHERE name = 'to mend'").await? {
        0 => Err(HandlerError::failed("nobody has mended it")),
        _ => Ok(()),
    }
}

fn what_operators_ask_for_is_served<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    let database = Arc::new(database);
    append(&mut witness, "alice", 2)?;
    let parking = Projection::awaited(NAME, 1, first_fails::<D::Awaited>)
        .retries(0, Duration::ZERO)
        .on_failure(OnFailure::Park);
    let running = RUNTIME.block_on(runner(&database).projection(parking).start())?;
    let last = append(&mut witness, "bob", 2)?.last_position();
    wait_for_projection(&mut witness, (NAME, 1), last)?;
    assert_eq!(applied(&mut witness)?, ["bob 1", "bob 2"]);

    execute(&mut witness, "INSERT INTO applied (name) VALUES ('to mend')")?;
    let first = projection::parked(&mut witness, (NAME, 1))?[0].position();
    assert!(projection::retry_parked(&mut witness, (NAME, 1), first)?);
    eventually("nothing to be parked", || Ok(projection::parked(&mut witness, (NAME, 1))?.is_empty()))?;
    assert_eq!(applied(&mut witness)?, ["bob 1", "bob 2", "mended", "alice 1", "alice 2"]);
    RUNTIME.block_on(running.stop())?;
    Ok(())
}

fn a_partition_that_stops_goes_on_when_it_is_resumed<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    let database = Arc::new(database);
    append(&mut witness, "alice", 2)?;
    let stopping =
        Projection::awaited(NAME, 1, first_fails::<D::Awaited>).retries(1, Duration::from_millis(1));
    let running = RUNTIME.block_on(runner(&database).projection(stopping).start())?;
    eventually("the partition to stop", || Ok(!running.is_healthy() && has_failed(&running.failures())))?;
    assert!(applied(&mut witness)?.is_empty());

    execute(&mut witness, "INSERT INTO applied (name) VALUES ('to mend')")?;
    eventually("it to be resumed", || Ok(projection::resume(&mut witness, (NAME, 1))? == 1))?;
    let last = EventStore::new().last_position(&mut witness)?;
    wait_for_projection(&mut witness, (NAME, 1), last)?;
    assert_eq!(applied(&mut witness)?, ["mended", "alice 1", "alice 2"]);
    RUNTIME.block_on(running.stop())?;
    Ok(())
}

fn has_failed(failures: &[ProjectionError]) -> bool {
    failures.iter().any(|failure| matches!(failure, ProjectionError::Failed { attempts: 2, .. }))
}

/// Its tasks are dropped, and their connections with them.
fn a_runtime_that_is_shut_down_leaves_nothing_half_applied<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    let database = Arc::new(database);
    append(&mut witness, "alice", 4)?;
    let slow = Slow::new();
    let projection =
        Projection::awaited(NAME, 1, slow.clone()).batch_size(2).lease(Duration::from_millis(100));
    let opened = Arc::clone(&database);
    let runner_that_is_cut_off = AsyncRunner::new(move || {
        let database = Arc::clone(&opened);
        async move { database.open_impatient().await }
    })
    .projection(projection);
    let other = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let running = other.block_on(async {
        let running = runner_that_is_cut_off.start().await?;
        slow.has_begun.notified().await;
        Ok::<_, BoxError>(running)
    })?;
    other.shutdown_background();
    eventually("the runner to end", || Ok(!running.is_running()))?;

    let successor = RUNTIME.block_on(runner(&database).projection(users::<D>()).start())?;
    let last = EventStore::new().last_position(&mut witness)?;
    wait_for_projection(&mut witness, (NAME, 1), last)?;
    RUNTIME.block_on(successor.stop())?;
    assert_eq!(applied(&mut witness)?, ["alice 1", "alice 2", "alice 3", "alice 4"]);
    Ok(())
}
