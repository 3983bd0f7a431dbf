use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use diesel::Connection;
use diesel_event_store::ExpectedVersion;
use diesel_event_store::sqlite::{Ticket, WriteError, Writer, WriterError, WriterOptions};
use test_support::sqlite_file::{SqliteFile, assert_intact};

use super::super::database::{STORE, count, event, stream};
use super::gate::Gate;

fn is_closed(error: &WriteError) -> bool {
    matches!(error, WriteError::Writer(WriterError::Closed))
}

#[test]
fn draining_writes_what_was_sent_and_takes_nothing_more() {
    let database = SqliteFile::migrated();
    let writer = Writer::new(database.connect()).unwrap();
    let gate = Gate::close(&writer);
    let request = || writer.append(&stream("1"), ExpectedVersion::Any, [event()]);
    let sent: Vec<_> = (0..10).map(|_| request().send()).collect();
    let end = writer.drain();
    assert!(is_closed(&request().wait().unwrap_err()));
    assert!(is_closed(&request().try_send().unwrap().wait().unwrap_err()));
    gate.open();
    end.wait().unwrap();
    sent.into_iter().for_each(|ticket| _ = ticket.wait().unwrap());
    assert_eq!(STORE.version(&mut database.connect(), &stream("1")).unwrap(), 10);
    writer.drain().wait().unwrap();
    writer.shutdown_now().wait().unwrap();
}

#[test]
fn shutting_down_now_answers_what_waits_and_writes_none_of_it() {
    let database = SqliteFile::migrated();
    let writer = Writer::new(database.connect()).unwrap();
    let gate = Gate::close(&writer);
    let request = || writer.append(&stream("1"), ExpectedVersion::Any, [event()]);
    let sent: Vec<_> = (0..10).map(|_| request().send()).collect();
    let end = writer.shutdown_now();
    for ticket in sent {
        assert!(is_closed(&ticket.wait().unwrap_err()), "at once");
    }
    gate.open();
    end.wait().unwrap();
    assert_eq!(count(&mut database.connect(), "events"), 0);
}

#[test]
fn draining_under_load_loses_no_success_and_invents_none() {
    end_under_load(Writer::drain);
}

#[test]
fn shutting_down_now_under_load_loses_no_success_and_invents_none() {
    end_under_load(Writer::shutdown_now);
}

fn end_under_load(end: fn(&Writer) -> Ticket<(), WriterError>) {
    let database = SqliteFile::migrated();
    let options = WriterOptions::default().queue_capacity(20).max_batch(8);
    let writer = options.start(database.connect()).unwrap();
    let successes = AtomicUsize::new(0);
    thread::scope(|scope| {
        for caller in 0..32 {
            let (writer, successes) = (&writer, &successes);
            scope.spawn(move || {
                let stream = stream(&caller.to_string());
                loop {
                    match writer.append(&stream, ExpectedVersion::Any, [event()]).wait() {
                        Ok(_) => successes.fetch_add(1, Ordering::SeqCst),
                        Err(error) => return assert!(is_closed(&error), "{error}"),
                    };
                }
            });
        }
        thread::sleep(Duration::from_millis(100));
        end(&writer).wait().unwrap();
    });
    let mut conn = database.connect();
    assert_eq!(count(&mut conn, "events"), successes.into_inner() as i64);
    assert_intact(&mut conn);
}

#[test]
fn dropping_the_last_handle_waits_until_what_was_sent_is_written() {
    let database = SqliteFile::migrated();
    let writer = WriterOptions::default().max_batch(2).start(database.connect()).unwrap();
    let other = writer.clone();
    for _ in 0..50 {
        drop(writer.append(&stream("1"), ExpectedVersion::Any, [event()]).send());
    }
    drop(writer);
    drop(other);
    assert_eq!(STORE.version(&mut database.connect(), &stream("1")).unwrap(), 50);
}

#[test]
fn a_ticket_outlives_the_handles() {
    let database = SqliteFile::migrated();
    let writer = Writer::new(database.connect()).unwrap();
    let ticket = writer.append(&stream("1"), ExpectedVersion::Any, [event()]).send();
    drop(writer);
    assert_eq!(ticket.wait().unwrap().version(), 1);
}

#[test]
fn a_connection_in_a_transaction_is_not_taken() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    conn.begin_test_transaction().unwrap();
    assert!(matches!(Writer::new(conn).unwrap_err(), WriterError::Database(_)));
}
