use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use diesel::connection::{Connection, InstrumentationEvent, SimpleConnection};
use diesel_event_store::sqlite::{Options, Ticket, WriteError, Writer, WriterError, WriterOptions};
use diesel_event_store::{AppendError, DatabaseErrorKind, Error, ExpectedVersion, NewEvent};
use test_support::sqlite_file::{SqliteFile, assert_intact, number};

use super::super::database::{append_one, count, event, stream};
use super::gate::Gate;

fn kind(error: &WriteError) -> DatabaseErrorKind {
    match error {
        WriteError::Append(AppendError::Database(error)) => error.kind(),
        WriteError::Writer(WriterError::Database(error)) => error.kind(),
        other => panic!("{other}"),
    }
}

fn impatient(database: &SqliteFile) -> Writer {
    let options = Options::default().busy_timeout(Duration::from_millis(100));
    Writer::new(database.connect_with(options)).unwrap()
}

#[test]
fn a_lock_that_is_held_longer_than_busy_timeout_is_a_retryable_error_for_all_who_wait() {
    let database = SqliteFile::migrated();
    let writer = impatient(&database);
    let request = || writer.append(&stream("1"), ExpectedVersion::Any, [event()]);
    let refused = database.connect().immediate_transaction::<_, Error, _>(|_| {
        let tickets: Vec<_> = (0..10).map(|_| request().send()).collect();
        Ok(tickets.into_iter().map(|ticket| ticket.wait().unwrap_err()).collect::<Vec<_>>())
    });
    for error in refused.unwrap() {
        assert!(error.is_retryable(), "{error}");
        assert_eq!(kind(&error), DatabaseErrorKind::Locked);
    }
    assert_eq!(request().wait().unwrap().version(), 1, "when the lock is free");
    assert_intact(&mut database.connect());
}

#[test]
fn a_closure_is_not_run_when_the_lock_is_not_to_be_had() {
    let database = SqliteFile::migrated();
    let writer = impatient(&database);
    let refused = database.connect().immediate_transaction::<_, Error, _>(|_| {
        let request = writer.transaction::<(), Error>(|_| panic!("it is run"));
        Ok(request.wait())
    });
    assert!(refused.unwrap().unwrap_err().is_retryable());
}

/// With a limit on the pages, as in `full`.
#[test]
fn a_full_disk_under_load_is_an_error_for_whom_there_was_no_room_and_never_a_false_success() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    append_one(&mut conn, &stream("first"));
    let pages = number(&mut conn, "SELECT page_count FROM pragma_page_count");
    let mut limited = database.connect();
    limited.batch_execute(&format!("PRAGMA max_page_count = {}", pages + 20)).unwrap();
    let writer = Writer::new(limited).unwrap();
    let (successes, failures) = (AtomicUsize::new(1), AtomicUsize::new(0));
    thread::scope(|scope| {
        for caller in 0..32 {
            let (writer, successes, failures) = (&writer, &successes, &failures);
            scope.spawn(move || {
                for _ in 0..20 {
                    let event = NewEvent::new("Placed", &"x".repeat(caller * 40)).unwrap();
                    match writer.append(&stream(&caller.to_string()), ExpectedVersion::Any, [event]).wait() {
                        Ok(_) => successes.fetch_add(1, Ordering::SeqCst),
                        Err(error) => {
                            assert_eq!(kind(&error), DatabaseErrorKind::Full);
                            failures.fetch_add(1, Ordering::SeqCst)
                        }
                    };
                }
            });
        }
    });
    assert!(failures.into_inner() > 0, "the disk was not full");
    assert_eq!(count(&mut conn, "events"), successes.into_inner() as i64);
    assert_intact(&mut conn);

    let make_room = writer.transaction(|conn| {
        conn.batch_execute("PRAGMA max_page_count = 100000")?;
        Ok::<_, Error>(())
    });
    make_room.wait().unwrap();
    writer.append(&stream("1"), ExpectedVersion::Any, [event()]).wait().unwrap();
    assert_intact(&mut conn);
}

/// What SQLite does after some failures of the disk: it has rolled back everything when the statement
/// returns.
#[test]
fn a_transaction_that_sqlite_gives_up_half_way_is_an_error_for_all_who_were_in_it() {
    let database = SqliteFile::migrated();
    let give_up = "CREATE TRIGGER give_up BEFORE INSERT ON events WHEN NEW.event_type = 'Fatal' \
                   BEGIN SELECT RAISE(ROLLBACK, 'disk I/O error'); END";
    database.connect().batch_execute(give_up).unwrap();
    let writer = Writer::new(database.connect()).unwrap();
    let gate = Gate::close(&writer);
    let send = |id, event_type| {
        let event = NewEvent::new(event_type, &()).unwrap();
        writer.append(&stream(id), ExpectedVersion::NoStream, [event]).send()
    };
    let (before, fatal, after) = (send("before", "Placed"), send("fatal", "Fatal"), send("after", "Placed"));
    gate.open();
    for ticket in [before, fatal] {
        let error = ticket.wait().unwrap_err();
        assert!(matches!(error, WriteError::Writer(WriterError::Interrupted)), "{error}");
    }
    assert_eq!(after.wait().unwrap().version(), 1, "in a new group");
    let mut conn = database.connect();
    assert_eq!(count(&mut conn, "events"), 1);
    assert_intact(&mut conn);
}

#[test]
fn a_database_without_tables_is_an_error_for_each() {
    let database = SqliteFile::absent();
    let writer = Writer::new(database.connect()).unwrap();
    let refused = writer.append(&stream("1"), ExpectedVersion::Any, [event()]).wait().unwrap_err();
    assert_eq!(kind(&refused), DatabaseErrorKind::NotMigrated);
}

#[test]
fn a_thread_that_dies_leaves_nobody_waiting_and_says_that_the_outcome_is_not_known() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    conn.set_instrumentation(|event: InstrumentationEvent<'_>| {
        assert!(!matches!(event, InstrumentationEvent::CommitTransaction { .. }), "no commit today");
    });
    let writer = WriterOptions::default().max_batch(1).start(conn).unwrap();
    let request = || writer.append(&stream("1"), ExpectedVersion::Any, [event()]);
    let outcomes = [request().send(), request().send(), request().send()].map(Ticket::wait);
    assert!(matches!(outcomes[0], Err(WriteError::Writer(WriterError::Died))));
    for outcome in outcomes.into_iter().skip(1).chain([request().wait()]) {
        assert!(matches!(outcome, Err(WriteError::Writer(WriterError::Closed))), "it was never begun");
    }
    drop(writer);
    assert_eq!(count(&mut database.connect(), "events"), 0);
}
