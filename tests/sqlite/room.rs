//! A projection that has much to do writes without a break, and others get through all the same.

use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::projection::{self, Projection, Runner, RunnerHandle};
use diesel_event_store::sqlite::Options;
use diesel_event_store::{Position, RecordedEvent};
use test_support::sqlite_file::{SqliteFile, number};
use test_support::{LONG, eventually};

use super::database::{STORE, append_one, stream};

const NAME: &str = "orders";

/// Ten milliseconds a batch, one after the other.
fn busy() -> Projection<SqliteConnection> {
    Projection::new(NAME, 1, |_conn: &mut SqliteConnection, _event: &RecordedEvent| {
        thread::sleep(Duration::from_millis(1));
        Ok(())
    })
    .batch_size(10)
}

/// A database with so many events, and the position of the last one.
fn database_with(events: usize) -> (SqliteFile, Position) {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    conn.immediate_transaction(|conn| {
        (0..events).for_each(|_| _ = append_one(conn, &stream("1")));
        QueryResult::Ok(())
    })
    .unwrap();
    let last = STORE.last_position(&mut conn).unwrap();
    (database, last)
}

/// At least so many seconds of work, at the end of which the last event is applied.
fn runner_with_work(seconds: usize) -> (SqliteFile, Position, RunnerHandle) {
    let (database, last) = database_with(seconds * 1000);
    let path = database.path().display().to_string();
    let connect = move || -> test_support::Result<SqliteConnection> {
        let mut conn = SqliteConnection::establish(&path)?;
        Options::default().apply(&mut conn)?;
        Ok(conn)
    };
    let running = Runner::new(connect).projection(busy()).start().unwrap();
    eventually_at_work(&database);
    (database, last, running)
}

/// So that a failure tells what it had to wait for.
fn patient(database: &SqliteFile) -> SqliteConnection {
    database.connect_with(Options::default().busy_timeout(LONG))
}

fn eventually_at_work(database: &SqliteFile) {
    let applied = "SELECT coalesce(max(last_global_position), 0) FROM projection_checkpoints";
    let mut conn = database.connect();
    eventually("it has begun", || Ok(number(&mut conn, applied) > 0)).unwrap();
}

fn is_at_work(conn: &mut SqliteConnection, last: Position) -> bool {
    !projection::has_reached(conn, (NAME, 1), last).unwrap()
}

#[test]
fn an_append_gets_through_while_a_runner_works() {
    let (database, last, running) = runner_with_work(5);
    let mut conn = patient(&database);
    for _ in 0..5 {
        append_one(&mut conn, &stream("2"));
    }
    assert!(is_at_work(&mut conn, last), "the appends had to wait until there was nothing left to do");
    running.stop().unwrap();
}

/// Which the store hears nothing of.
#[test]
fn rows_of_the_application_get_through_while_a_runner_works() {
    let (database, last, running) = runner_with_work(20);
    let mut conn = patient(&database);
    conn.batch_execute("CREATE TABLE customers (name TEXT NOT NULL)").unwrap();
    for _ in 0..3 {
        conn.batch_execute("INSERT INTO customers VALUES ('alice')").unwrap();
    }
    assert!(is_at_work(&mut conn, last), "the rows had to wait until there was nothing left to do");
    running.stop().unwrap();
}

#[test]
fn an_append_gets_through_while_a_call_catches_up() {
    let (database, last) = database_with(2000);
    let mut conn = patient(&database);
    thread::scope(|scope| {
        let mut its_own = database.connect();
        scope.spawn(move || busy().catch_up(&mut its_own).unwrap());
        eventually_at_work(&database);
        append_one(&mut conn, &stream("2"));
        assert!(is_at_work(&mut conn, last), "the append had to wait until there was nothing left to do");
    });
}
