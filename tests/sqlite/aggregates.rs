//! Commands beside a connection that holds SQLite's write lock.

use std::convert::Infallible;
use std::time::Duration;

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel_event_store::sqlite::Options;
use diesel_event_store::{Error, RunAgain};
use test_support::counter::{Counted, count_once, count_while, counter};
use test_support::sqlite_file::SqliteFile;

/// Not what another has written, but that it is still writing: no conflict, and yet it is decided again.
#[test]
fn a_command_is_decided_again_after_a_lock_that_was_not_released_in_time() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect_with(Options::default().busy_timeout(Duration::from_millis(1)));
    let (mut holder, mut decided) = (database.connect(), 0);
    let (times, counted) = count_while(&mut conn, "c", || {
        decided += 1;
        let sql = if decided == 1 { "BEGIN IMMEDIATE" } else { "ROLLBACK" };
        holder.batch_execute(sql).unwrap();
    });
    let counted = counted.unwrap();
    assert_eq!((times, counted.attempts, counted.version), (2, 2, 1));
}

/// The other gives the lock back as soon as it was refused, so that a second attempt would not fail.
#[test]
fn inside_a_transaction_a_command_is_not_tried_again() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect_with(Options::default().busy_timeout(Duration::from_millis(1)));
    let mut holder = database.connect();
    holder.batch_execute("BEGIN IMMEDIATE").unwrap();
    let refused = conn.transaction::<_, Error, _>(|conn| {
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::FinishQuery { error: Some(_), .. }) {
                let _ = holder.batch_execute("ROLLBACK");
            }
        });
        Ok(count_once(conn, "c")?)
    });
    assert!(refused.unwrap_err().may_run_again(), "the lock is taken");
    assert_eq!(count_once(&mut conn, "c").unwrap(), 1);
}

/// It takes the write lock before it reads, so it waits for the other instead of reading what will be old.
#[test]
fn in_a_deferred_transaction_a_command_waits_for_its_turn() {
    let database = SqliteFile::migrated();
    let (mut conn, mut other) = (database.connect(), database.connect());
    conn.transaction::<_, Error, _>(|conn| {
        let (_, counted) = count_while(conn, "c", || {
            let mut impatient =
                database.connect_with(Options::default().busy_timeout(Duration::from_millis(1)));
            let count = || Ok::<_, Infallible>(vec![Counted]);
            let refused = counter("d").attempts(1).update(&mut impatient, |_| count());
            assert!(refused.unwrap_err().may_run_again(), "the lock is taken");
        });
        assert_eq!(counted?.version, 1);
        Ok(())
    })
    .unwrap();
    assert_eq!(count_once(&mut other, "c").unwrap(), 2);
}
