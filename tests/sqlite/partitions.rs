//! Another connection, or another partition, holds the write lock for longer than a worker's connections wait
//! for it. Leases are so long that nothing comes from their running out.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, ThreadId};
use std::time::Duration;

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel_event_store::projection::{self, HandlerError, Projection, Runner, RunnerHandle};
use diesel_event_store::sqlite::Options;
use diesel_event_store::{Position, RecordedEvent};
use test_support::disturbed::{stop, was_locked};
use test_support::sqlite_file::{SqliteFile, number};
use test_support::{eventually, wait_for_projection};

use super::database::{STORE, append_one, stream};

const NAME: &str = "orders";
/// How long a worker's connections wait for the lock.
const PATIENCE: Duration = Duration::from_millis(20);

fn start(database: &SqliteFile, worker: &str, partitions: i32) -> RunnerHandle {
    start_with(database, worker, partitions, Duration::ZERO)
}

/// Each event takes so long to apply.
fn start_with(database: &SqliteFile, worker: &str, partitions: i32, each: Duration) -> RunnerHandle {
    let projection = slow(partitions, each).lease(Duration::from_secs(3600));
    Runner::new(connecting(database, PATIENCE)).name(worker).projection(projection).start().unwrap()
}

fn slow(partitions: i32, each: Duration) -> Projection<SqliteConnection> {
    let apply = move |_conn: &mut SqliteConnection, _event: &RecordedEvent| {
        thread::sleep(each);
        Ok(())
    };
    Projection::new(NAME, 1, apply).partitions(partitions)
}

/// The connections wait for a lock for so long.
fn connecting(
    database: &SqliteFile,
    patience: Duration,
) -> impl Fn() -> test_support::Result<SqliteConnection> + Send + Sync + 'static {
    let path = database.path().display().to_string();
    move || {
        let mut conn = SqliteConnection::establish(&path)?;
        Options::default().busy_timeout(patience).apply(&mut conn)?;
        Ok(conn)
    }
}

/// Until the worker has reported that it could not write.
fn hold_the_write_lock(conn: &mut SqliteConnection, running: &RunnerHandle) {
    conn.batch_execute("BEGIN IMMEDIATE").unwrap();
    eventually("the lock is in the way", || Ok(running.failures().iter().any(was_locked))).unwrap();
    conn.batch_execute("COMMIT").unwrap();
}

fn owned_by(conn: &mut SqliteConnection, worker: &str) -> i64 {
    number(conn, &format!("SELECT count(*) FROM projection_checkpoints WHERE owner LIKE '{worker} %'"))
}

#[test]
fn one_that_could_not_be_taken_is_taken_as_soon_as_it_can_be() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    Projection::new(NAME, 1, |_conn: &mut SqliteConnection, _event| Ok(())).catch_up(&mut conn).unwrap();
    let set = |owner: &str, until: i64| {
        format!("UPDATE projection_checkpoints SET owner = {owner}, leased_until = {until}")
    };
    conn.batch_execute(&set("'another'", i64::MAX)).unwrap();
    let running = start(&database, "one", 1);
    append_one(&mut conn, &stream("1"));

    conn.batch_execute(&set("NULL", 0)).unwrap();
    hold_the_write_lock(&mut conn, &running);
    let last = STORE.last_position(&mut conn).unwrap();
    wait_for_projection(&mut conn, (NAME, 1), last).unwrap();
    stop(running);
}

#[test]
fn one_that_could_not_be_given_back_is_given_back_as_soon_as_it_can_be() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    let running = start(&database, "one", 2);
    eventually("one has both", || Ok(owned_by(&mut conn, "one") == 2)).unwrap();

    let another = format!("INSERT INTO projection_workers VALUES ('{NAME}', 1, 'another', {})", i64::MAX);
    conn.batch_execute(&another).unwrap();
    hold_the_write_lock(&mut conn, &running);
    eventually("one is given back", || Ok(owned_by(&mut conn, "one") == 1)).unwrap();
    stop(running);
    assert_eq!(owned_by(&mut conn, "one"), 0);
}

/// An event to each of so many streams, all at once.
fn append_to_many(conn: &mut SqliteConnection, streams: i64) {
    conn.immediate_transaction(|conn| {
        (0..streams).for_each(|number| _ = append_one(conn, &stream(&number.to_string())));
        QueryResult::Ok(())
    })
    .unwrap();
}

/// Each batch takes far longer than a connection waits for the lock.
#[test]
fn one_waits_for_the_batches_of_the_others_without_an_error() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    let running = start_with(&database, "one", 4, 5 * PATIENCE);
    eventually("one has all", || Ok(owned_by(&mut conn, "one") == 4)).unwrap();
    append_to_many(&mut conn, 24);

    let last = STORE.last_position(&mut conn).unwrap();
    wait_for_projection(&mut conn, (NAME, 1), last).unwrap();
    let locked = running.failures().iter().filter(|failure| was_locked(failure)).count();
    // The runner may have been about to look for other workers when the first batch began.
    assert!(locked <= 1, "{locked} times");
    stop(running);
}

/// It shares the partitions anew every second, and batches of half a second follow each other without a pause.
#[test]
fn the_runner_itself_waits_for_the_batches_without_an_error() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    append_to_many(&mut conn, 40);
    let projection = slow(2, 5 * PATIENCE).batch_size(5).lease(Duration::from_secs(3));
    let running = Runner::new(connecting(&database, PATIENCE)).projection(projection).start().unwrap();

    let last = STORE.last_position(&mut conn).unwrap();
    wait_for_projection(&mut conn, (NAME, 1), last).unwrap();
    let failures = running.failures();
    assert!(!failures.iter().any(was_locked), "{failures:?}");
    stop(running);
}

/// It pauses for a minute whenever it has failed.
#[test]
fn one_that_pauses_after_a_failure_leaves_their_thread_to_the_others() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    append_to_many(&mut conn, 40);

    let threads = Arc::<Mutex<HashSet<ThreadId>>>::default();
    let seen = Arc::clone(&threads);
    let apply = move |_conn: &mut SqliteConnection, event: &RecordedEvent| {
        seen.lock().unwrap().insert(thread::current().id());
        match event.aggregate_id() {
            "0" => Err(io::Error::other("it is not to be applied").into()),
            _ => Ok(()),
        }
    };
    let projection = Projection::new(NAME, 1, apply).partitions(4).batch_size(1);
    let running = Runner::new(connecting(&database, Duration::from_secs(60)))
        .projection(projection.retries(100, Duration::from_secs(60)))
        .start()
        .unwrap();

    let others = "SELECT count(*) FROM projection_checkpoints WHERE last_global_position = 40";
    eventually("all others are at the end", || Ok(number(&mut conn, others) == 3)).unwrap();
    let behind =
        "SELECT count(*) FROM projection_checkpoints WHERE last_global_position < 40 AND failing_since > 0";
    eventually("one has failed", || Ok(number(&mut conn, behind) == 1)).unwrap();
    assert_eq!(threads.lock().unwrap().len(), 1);
    running.stop().unwrap();
    assert_eq!(number(&mut conn, "SELECT count(*) FROM projection_checkpoints WHERE owner IS NOT NULL"), 0);
}

/// Each has some 200 events that take a millisecond each, and its turn for 50 ms.
#[test]
fn none_is_at_the_end_before_the_others_begin() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    let applied = Arc::<Mutex<Vec<Position>>>::default();
    let positions = Arc::clone(&applied);
    let apply = move |_conn: &mut SqliteConnection, event: &RecordedEvent| {
        thread::sleep(Duration::from_millis(1));
        positions.lock().unwrap().push(event.position());
        Ok(())
    };
    let running = Runner::new(connecting(&database, Duration::from_secs(60)))
        .name("one")
        .projection(Projection::new(NAME, 1, apply).partitions(4).batch_size(10))
        .start()
        .unwrap();
    eventually("it has all", || Ok(owned_by(&mut conn, "one") == 4)).unwrap();
    append_to_many(&mut conn, 800);

    let last = STORE.last_position(&mut conn).unwrap();
    wait_for_projection(&mut conn, (NAME, 1), last).unwrap();
    running.stop().unwrap();
    let applied = applied.lock().unwrap();
    assert_eq!(applied.len(), 800);
    // A partition that goes on where it was mostly goes back to before where another one has come to.
    let back = applied.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!(back > 3, "{back} times, as if one came after the other");
}

/// What is held back takes many turns, and the other's event comes with the first of it.
#[test]
fn one_that_serves_what_was_held_back_leaves_turns_to_the_others() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    let held = 300;
    for _ in 0..=held {
        append_one(&mut conn, &stream("0"));
    }
    let parking = Projection::new(NAME, 1, |_: &mut SqliteConnection, _| Err(HandlerError::park("not yet")));
    parking.partitions(2).catch_up(&mut conn).unwrap();
    let first = projection::parked(&mut conn, (NAME, 1)).unwrap()[0].position();
    projection::retry_parked(&mut conn, (NAME, 1), first).unwrap();

    let applied = Arc::<Mutex<Vec<String>>>::default();
    let seen = Arc::clone(&applied);
    let apply = move |conn: &mut SqliteConnection, event: &RecordedEvent| {
        if event.aggregate_id() == "0" && event.version() == 1 {
            OTHERS.iter().for_each(|other| _ = append_one(conn, &stream(other)));
        }
        thread::sleep(Duration::from_millis(1));
        seen.lock().unwrap().push(event.aggregate_id().to_owned());
        Ok(())
    };
    let running = Runner::new(connecting(&database, Duration::from_secs(60)))
        .projection(Projection::new(NAME, 1, apply))
        .start()
        .unwrap();
    eventually("all are served", || Ok(projection::parked(&mut conn, (NAME, 1))?.is_empty())).unwrap();
    let last = STORE.last_position(&mut conn).unwrap();
    wait_for_projection(&mut conn, (NAME, 1), last).unwrap();
    running.stop().unwrap();
    let applied = applied.lock().unwrap();
    let before = applied.iter().take_while(|id| *id == "0").count();
    assert!(before <= held, "the others came last");
}

/// Not all of them are in the partition of `0`.
const OTHERS: [&str; 8] = ["1", "2", "3", "4", "5", "6", "7", "8"];

#[test]
fn those_of_a_projection_are_taken_although_another_projection_is_in_trouble() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    conn.batch_execute(
        "CREATE TRIGGER no_worker BEFORE INSERT ON projection_workers WHEN NEW.projection_name = 'first' \
         BEGIN SELECT RAISE(ABORT, 'no worker is wanted'); END",
    )
    .unwrap();
    let nothing = |name| Projection::new(name, 1, |_: &mut SqliteConnection, _: &RecordedEvent| Ok(()));
    let running = Runner::new(connecting(&database, Duration::from_secs(60)))
        .projection(nothing("first"))
        .projection(nothing("second"))
        .start()
        .unwrap();
    append_one(&mut conn, &stream("1"));
    let last = STORE.last_position(&mut conn).unwrap();
    wait_for_projection(&mut conn, ("second", 1), last).unwrap();
    assert!(!running.is_healthy());
    let refused = running.stop().unwrap_err();
    assert!(refused.to_string().contains("no worker is wanted"), "{refused}");
}

/// The application does not return from it until the other one's partitions are shared anew.
#[test]
fn those_of_a_projection_are_taken_although_progress_of_another_one_is_reported() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    append_one(&mut conn, &stream("1"));
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let (may_go_on, (told, is_told)) = (Mutex::new(may_go_on), mpsc::channel());
    let nothing = |name| {
        let nothing = Projection::new(name, 1, |_: &mut SqliteConnection, _| Ok(()));
        nothing.lease(Duration::from_millis(300))
    };
    let running = Runner::new(connecting(&database, Duration::from_secs(60)))
        .name("one")
        .projection(nothing("first"))
        .projection(nothing("second"))
        .on_progress(move |progress| {
            if progress.projection().name() == "first" {
                told.send(()).unwrap();
                let _ = may_go_on.lock().unwrap().recv();
            }
        })
        .start()
        .unwrap();
    is_told.recv().unwrap();
    // Long enough for the runner to share those of the first one anew.
    thread::sleep(Duration::from_millis(500));
    projection::repartition(&mut conn, ("second", 1), 3).unwrap();
    let of_second = "SELECT count(*) FROM projection_checkpoints WHERE projection_name = 'second' \
                     AND partition_count = 3 AND owner LIKE 'one %'";
    eventually("all three are taken", || Ok(number(&mut conn, of_second) == 3)).unwrap();
    drop(go_on);
    stop(running);
}

#[test]
fn a_call_gives_it_back_although_a_lock_is_in_the_way_for_a_while() {
    let database = SqliteFile::migrated();
    let (mut conn, mut another) = (database.connect(), database.connect());
    Options::default().busy_timeout(PATIENCE).apply(&mut conn).unwrap();
    let mut tries = 0;
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        let InstrumentationEvent::StartQuery { query, .. } = event else { return };
        if query.to_string().contains("owner = NULL") {
            let lock = ["BEGIN IMMEDIATE", "", "COMMIT"].get(tries).unwrap_or(&"");
            another.batch_execute(lock).unwrap();
            tries += 1;
        }
    });
    let projection = Projection::new(NAME, 1, |_conn: &mut SqliteConnection, _event| Ok(()));
    projection.catch_up(&mut conn).unwrap();
    let owned = "SELECT count(*) FROM projection_checkpoints WHERE owner IS NOT NULL";
    assert_eq!(number(&mut conn, owned), 0);
}
