//! A log that is frozen takes no events, and can be read.

use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use diesel::Connection;
use diesel_event_store::operate::{FreezeError, freeze, unfreeze};
use diesel_event_store::projection::{self, Projection, ProjectionError, ProjectionState};
use diesel_event_store::{
    AppendError, DatabaseError, DatabaseErrorKind, Error, EventConnection, EventStore, ExpectedVersion,
    LogState, Position, RecordedEvent, write_transaction,
};
use test_support::witness::{begin, commit, roll_back};
use test_support::{
    LONG, Result, TestDatabase, at_once, count, counted, eventually, execute, user, wait_for_projection,
};

use super::projections::{application, runner};

tests! {
    nothing_is_committed_afterwards,
    it_waits_for_what_has_appended_and_not_ended,
    a_transaction_that_was_open_before_fails_alone,
    what_is_inserted_by_sql_is_refused,
    it_can_be_read,
    it_is_frozen_once_and_opened_once,
    a_handler_that_appends_waits,
    it_is_not_frozen_inside_a_transaction,
    a_reason_is_a_name,
}

const STORE: EventStore = EventStore::new();
const WRITERS: usize = 4;

fn append<C: EventConnection>(conn: &mut C, name: &str) -> Result<(), AppendError> {
    STORE.append(conn, &user(name)?, ExpectedVersion::Any, &counted(1)?).map(drop)
}

/// The note of an append that was refused because the log is frozen.
fn refusal<T>(outcome: Result<T, AppendError>) -> String {
    match outcome {
        Err(AppendError::LogClosed(closed)) if closed.state() == LogState::Frozen => closed.note().to_owned(),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was appended"),
    }
}

/// Writers of all kinds, in the middle of it. Every connection has prepared its statements before.
fn nothing_is_committed_afterwards<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conns = (0..=WRITERS).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    let committed = AtomicI64::new(0);
    let counted_then = at_once(&mut conns, |index, conn| -> Result<Option<i64>> {
        if index < WRITERS {
            append_until_frozen(conn, index, &committed)?;
            return Ok(None);
        }
        eventually("some are appended", || Ok(committed.load(Ordering::Relaxed) > 40))?;
        assert!(freeze(conn, "a test", LONG)?);
        Ok(Some(count(conn, "events")?))
    });
    let counted_then = counted_then.into_iter().collect::<Result<Vec<_>>>()?[WRITERS];
    assert_eq!(counted_then, Some(committed.into_inner()));
    let mut conn = db.connect()?;
    assert_eq!(Some(count(&mut conn, "events")?), counted_then);
    assert!(refusal(append(&mut conn, "new")).contains(r#""reason":"a test""#));
    assert!(unfreeze(&mut conn, LONG)?);
    conns.iter_mut().try_for_each(|conn| append(conn, "later"))?;
    assert_eq!(STORE.version(&mut conn, &user("later")?)?, 5);
    Ok(())
}

/// The odd ones in transactions with two appends.
fn append_until_frozen<C>(conn: &mut C, index: usize, committed: &AtomicI64) -> Result
where
    C: EventConnection + Connection,
{
    let name = index.to_string();
    loop {
        let number = 1 + index as i64 % 2;
        let outcome = write_transaction(conn, |conn| -> Result<(), Error> {
            (0..number).try_for_each(|_| append(conn, &name))?;
            Ok(())
        });
        match outcome {
            Ok(()) => _ = committed.fetch_add(number, Ordering::Relaxed),
            Err(Error::Append(AppendError::LogClosed(_))) => return Ok(()),
            Err(error) if error.is_retryable() => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn it_waits_for_what_has_appended_and_not_ended<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let (mut hanging, mut conn) = (db.connect()?, db.connect()?);
    begin(&mut hanging)?;
    append(&mut hanging, "hangs")?;
    match freeze(&mut conn, "a test", Duration::ZERO) {
        Err(error @ FreezeError::InTheWay { .. }) => assert!(error.is_retryable()),
        other => panic!("{other:?}"),
    }
    assert_eq!(STORE.log_closed(&mut conn)?, None);
    thread::scope(|scope| {
        let freezing = scope.spawn(|| freeze(&mut conn, "a test", LONG));
        thread::sleep(Duration::from_millis(300));
        assert!(!freezing.is_finished());
        append(&mut hanging, "goes on")?;
        commit(&mut hanging)?;
        assert!(freezing.join().expect("it does not panic")?);
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    })?;
    assert_eq!(count(&mut conn, "events")?, 2);
    refusal(append(&mut hanging, "hangs"));
    assert_eq!(count(&mut conn, "events")?, 2);
    Ok(())
}

fn a_transaction_that_was_open_before_fails_alone<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let (mut late, mut conn) = (db.connect()?, db.connect()?);
    append(&mut late, "before")?; // prepares it
    begin(&mut late)?;
    freeze(&mut conn, "a test", LONG)?;
    refusal(append(&mut late, "before"));
    roll_back(&mut late)?;
    unfreeze(&mut conn, LONG)?;
    append(&mut late, "before")?;
    assert_eq!(STORE.version(&mut conn, &user("before")?)?, 2);
    Ok(())
}

fn what_is_inserted_by_sql_is_refused<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let insert = "INSERT INTO events (aggregate_type, aggregate_id, aggregate_version, event_id, event_type, \
                  event_version, payload, created_at) VALUES ('User', 'raw', 1, \
                  '0198c2d4-0000-7000-8000-000000000001', 'Raw', 1, '1', '2026-01-01 00:00:00')";
    freeze(&mut conn, "a test", LONG)?;
    let refused = DatabaseError::from(execute(&mut db.connect()?, insert).expect_err("it is frozen"));
    assert_eq!(refused.kind(), DatabaseErrorKind::LogClosed, "{refused}");
    unfreeze(&mut conn, LONG)?;
    execute(&mut conn, insert)?;
    Ok(())
}

fn it_can_be_read<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    append(&mut conn, "alice")?;
    freeze(&mut conn, "it's moving: \"there\" \\ postgres://db/shop", LONG)?;
    let closed = STORE.log_closed(&mut conn)?.ok_or("it is closed")?;
    assert_eq!(refusal(append(&mut conn, "alice")), closed.note());
    let note: serde_json::Value = serde_json::from_str(closed.note())?;
    assert_eq!(note["reason"], "it's moving: \"there\" \\ postgres://db/shop");
    assert_eq!(STORE.read_forward(&mut conn, Position::START, 10)?.len(), 1);
    assert_eq!(STORE.last_position(&mut db.connect()?)?.get(), 1);
    let read = Projection::new("reads", 1, |_: &mut D::Conn, _: &RecordedEvent| Ok(()));
    assert_eq!(read.catch_up(&mut conn)?.applied(), 1);
    Ok(())
}

fn it_is_frozen_once_and_opened_once<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    assert!(!unfreeze(&mut conn, LONG)?);
    assert!(freeze(&mut conn, "the first", LONG)?);
    assert!(!freeze(&mut db.connect()?, "the second", LONG)?);
    assert!(refusal(append(&mut conn, "alice")).contains("the first"));
    assert!(unfreeze(&mut conn, LONG)?);
    assert!(!unfreeze(&mut conn, LONG)?);
    append(&mut conn, "alice")?;
    assert!(freeze(&mut conn, "the third", LONG)?);
    assert!(refusal(append(&mut conn, "alice")).contains("the third"));
    Ok(())
}

fn a_handler_that_appends_waits<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "question")?;
    let last = STORE.last_position(&mut conn)?;
    freeze(&mut conn, "a test", LONG)?;
    let failed = answers::<D>().catch_up(&mut conn).expect_err("the log is frozen");
    assert!(failed.is_retryable() && failed.to_string().contains("this event log is frozen"), "{failed}");

    let running = runner(&db).projection(answers::<D>()).start()?;
    eventually("the status tells", || {
        let [status] = &projection::status(&mut conn)?[..] else { return Ok(false) };
        let partition = &status.partitions()[0];
        Ok(partition.state() == ProjectionState::Retrying
            && partition.last_error().is_some_and(|error| error.contains("this event log is frozen")))
    })?;
    unfreeze(&mut conn, LONG)?;
    wait_for_projection(&mut conn, ("answers", 1), last)?;
    assert!(running.failures().iter().all(ProjectionError::is_retryable));
    running.stop()?;
    assert_eq!(STORE.version(&mut conn, &user("answer")?)?, 1);
    assert_eq!(projection::parked(&mut conn, ("answers", 1))?.len(), 0);
    Ok(())
}

fn answers<D: TestDatabase>() -> Projection<D::Conn> {
    Projection::new("answers", 1, |conn: &mut D::Conn, event: &RecordedEvent| {
        if event.aggregate_id() == "question" {
            append(conn, "answer")?;
        }
        Ok(())
    })
    .on_failure(projection::OnFailure::Park)
}

fn it_is_not_frozen_inside_a_transaction<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    begin(&mut conn)?;
    assert!(matches!(freeze(&mut conn, "a test", LONG), Err(FreezeError::InTransaction)));
    assert!(matches!(unfreeze(&mut conn, LONG), Err(FreezeError::InTransaction)));
    commit(&mut conn)?;
    assert_eq!(STORE.log_closed(&mut conn)?, None);
    Ok(())
}

fn a_reason_is_a_name<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for reason in ["", "two\nlines", &"x".repeat(256)] {
        match freeze(&mut conn, reason, LONG) {
            Err(FreezeError::Invalid(invalid)) => assert_eq!(invalid.field(), "reason"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(STORE.log_closed(&mut conn)?, None);
    Ok(())
}
