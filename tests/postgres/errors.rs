//! What kind of failure it was, asked of the real server.

use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::{
    AppendError, DatabaseErrorKind, Error, EventStore, ExpectedVersion, NewEvent, StreamId,
};
use test_support::witness::{append_one, begin, commit, kind, roll_back};
use test_support::{self, Postgres, TestDatabase};

const STORE: EventStore = EventStore::new();

fn append_to(conn: &mut PgConnection, aggregate_id: &str) -> Result<(), Error> {
    let stream = StreamId::new("Contended", aggregate_id)?;
    STORE.append(conn, &stream, ExpectedVersion::Any, &[NewEvent::new("Appended", &())?])?;
    Ok(())
}

fn assert_kind(result: Result<(), Error>, expected: DatabaseErrorKind, is_retryable: bool) {
    let error = result.expect_err("it must fail");
    assert_eq!(kind(&error), Some(expected), "{error}");
    assert_eq!(error.is_retryable(), is_retryable, "{error}");
}

/// The transaction is lost, but not what is done after it.
fn assert_usable_after_rolling_back(conn: &mut PgConnection) -> test_support::Result {
    roll_back(conn)?;
    append_to(conn, "after the failure")?;
    Ok(())
}

#[test]
fn a_conflict_leaves_the_transaction_usable() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    append_one(&mut conn, "There")?;
    begin(&mut conn)?;
    let error = append_one(&mut conn, "There").expect_err("it is there already");
    assert_eq!(error.conflict().map(|conflict| conflict.actual), Some(1));
    assert!(!error.is_retryable());
    append_one(&mut conn, "Another")?;
    commit(&mut conn)?;
    assert_eq!(test_support::count(&mut conn, "events")?, 2);
    Ok(())
}

/// Two that record the same id at the same moment: the second waits for the first, and is then told.
#[test]
fn an_id_that_is_just_being_recorded_is_a_duplicate() -> test_support::Result {
    let database = Postgres::migrated()?;
    let (mut first, mut second) = (database.connect()?, database.connect()?);
    let event = NewEvent::new("Recorded", &())?;
    let append = |conn: &mut PgConnection, aggregate_id: &str| {
        let stream = StreamId::new("Duplicate", aggregate_id).expect("it is a name");
        STORE.append(conn, &stream, ExpectedVersion::Any, std::slice::from_ref(&event))
    };
    begin(&mut first)?;
    append(&mut first, "of the first")?;
    let refused = thread::scope(|scope| -> test_support::Result<_> {
        let waiting = scope.spawn(|| append(&mut second, "of the second"));
        wait_until_somebody_waits(&database)?;
        commit(&mut first)?;
        Ok(waiting.join().expect("it has not panicked"))
    })?;
    match refused {
        Err(AppendError::DuplicateEventId { event_id, event_index, .. }) => {
            assert_eq!((event_id, event_index), (event.id(), 0));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(test_support::count(&mut second, "aggregate_heads")?, 1);
    append_to(&mut second, "after the failure")?;
    Ok(())
}

fn wait_until_somebody_waits(database: &Postgres) -> test_support::Result {
    let mut conn = database.connect()?;
    let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while test_support::count(&mut conn, waiting)? == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

#[test]
fn of_two_in_a_deadlock_one_is_told_so() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conns = [database.connect()?, database.connect()?];
    let [first, second] = &mut conns;
    begin(first)?;
    begin(second)?;
    append_to(first, "a")?;
    append_to(second, "b")?;
    // Whoever is told gives up, and the other gets on.
    let cross = |conn: &mut PgConnection, aggregate_id: &str| {
        let outcome = append_to(conn, aggregate_id);
        if outcome.is_err() {
            roll_back(conn).expect("the connection is sound");
        }
        outcome
    };
    let mut outcomes = thread::scope(|scope| {
        let crossing = scope.spawn(|| cross(first, "b"));
        [cross(second, "a"), crossing.join().expect("it has not panicked")]
    });
    outcomes.sort_by_key(Result::is_ok);
    let [Err(deadlock), Ok(())] = outcomes else { panic!("{outcomes:?}") };
    assert_kind(Err(deadlock), DatabaseErrorKind::Deadlock, true);
    Ok(())
}

#[test]
fn a_lock_that_is_not_given_in_time_is_retryable() -> test_support::Result {
    let database = Postgres::migrated()?;
    let (mut holder, mut waiting) = (database.connect()?, database.connect()?);
    begin(&mut holder)?;
    append_to(&mut holder, "a")?;
    waiting.batch_execute("SET lock_timeout = '20ms'")?;
    assert_kind(append_to(&mut waiting, "a"), DatabaseErrorKind::Locked, true);
    begin(&mut waiting)?;
    assert_kind(append_to(&mut waiting, "a"), DatabaseErrorKind::Locked, true);
    assert_usable_after_rolling_back(&mut waiting)
}

/// The application has set it, and knows whether it wants to try again.
#[test]
fn a_statement_that_takes_too_long_is_not_retryable() -> test_support::Result {
    let database = Postgres::migrated()?;
    let (mut holder, mut waiting) = (database.connect()?, database.connect()?);
    begin(&mut holder)?;
    append_to(&mut holder, "a")?;
    waiting.batch_execute("SET statement_timeout = '20ms'")?;
    begin(&mut waiting)?;
    assert_kind(append_to(&mut waiting, "a"), DatabaseErrorKind::Other, false);
    waiting.batch_execute("ROLLBACK; SET statement_timeout = 0; BEGIN")?;
    assert_usable_after_rolling_back(&mut waiting)
}

#[test]
fn a_connection_that_the_server_has_ended_is_lost() -> test_support::Result {
    let database = Postgres::migrated()?;
    for in_transaction in [false, true] {
        let mut conn = database.connect()?;
        let pid: i32 = diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("pg_backend_pid()"))
            .get_result(&mut conn)?;
        if in_transaction {
            begin(&mut conn)?;
            append_to(&mut conn, "a")?;
        }
        test_support::execute(
            &mut database.connect()?,
            &format!("SELECT pg_terminate_backend({pid}, 60000)"),
        )?;
        assert_kind(append_to(&mut conn, "a"), DatabaseErrorKind::ConnectionLost, true);
        assert_kind(append_to(&mut conn, "a"), DatabaseErrorKind::ConnectionLost, true);
        assert!(test_support::count(&mut database.connect()?, "events")? == 0);
    }
    Ok(())
}

#[test]
fn a_transaction_that_was_idle_for_too_long_is_lost() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    begin(&mut conn)?;
    append_to(&mut conn, "a")?;
    conn.batch_execute("SET idle_in_transaction_session_timeout = '10ms'")?;
    let mut others = database.connect()?;
    let idle = "pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'";
    while test_support::count(&mut others, idle)? > 0 {
        thread::sleep(Duration::from_millis(1));
    }
    assert_kind(append_to(&mut conn, "a"), DatabaseErrorKind::ConnectionLost, true);
    append_to(&mut others, "a")?;
    assert_eq!(test_support::count(&mut others, "events")?, 1);
    Ok(())
}

#[test]
fn nothing_is_appended_in_a_read_only_transaction() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    conn.batch_execute("SET default_transaction_read_only = on")?;
    assert_kind(append_to(&mut conn, "a"), DatabaseErrorKind::ReadOnly, false);
    begin(&mut conn)?;
    assert_kind(append_to(&mut conn, "a"), DatabaseErrorKind::ReadOnly, false);
    roll_back(&mut conn)?;
    assert_eq!(STORE.last_position(&mut conn)?.get(), 0);
    Ok(())
}

#[test]
fn events_are_not_truncated() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    append_to(&mut conn, "a")?;
    for truncate in ["TRUNCATE events", "TRUNCATE events CASCADE", "TRUNCATE aggregate_heads, events"] {
        let refused = test_support::execute(&mut conn, truncate).map_err(Error::from);
        assert_kind(refused, DatabaseErrorKind::AppendOnly, false);
    }
    assert_eq!(test_support::count(&mut conn, "events")?, 1);
    Ok(())
}

/// Whoever may not write to the tables is told so by the server.
#[test]
fn a_role_without_privileges_is_refused() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    conn.batch_execute(
        "BEGIN; CREATE ROLE des_test_without_privileges; SET LOCAL ROLE des_test_without_privileges",
    )?;
    assert_kind(append_to(&mut conn, "a"), DatabaseErrorKind::NotPermitted, false);
    conn.batch_execute("ROLLBACK")?;
    Ok(())
}

/// The server would close the connection.
#[test]
fn more_than_a_statement_holds_is_refused_before_it_is_sent() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    let event = NewEvent::from_json("Large", format!("\"{}\"", "x".repeat(15 << 20)))?;
    let id = || diesel_event_store::uuid::Uuid::now_v7();
    let events: Vec<_> = (0..69).map(|_| event.clone().with_id(id())).collect();
    let large = StreamId::new("Large", 1)?;
    let appended = STORE.append(&mut conn, &large, ExpectedVersion::Any, &events).map(drop);
    assert_kind(appended.map_err(Error::from), DatabaseErrorKind::TooLarge, false);
    append_to(&mut conn, "on the same connection")?;
    assert_eq!(test_support::count(&mut conn, "events")?, 1);
    Ok(())
}
