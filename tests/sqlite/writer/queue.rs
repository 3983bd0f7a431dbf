use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use diesel_event_store::sqlite::{Writer, WriterOptions};
use diesel_event_store::{Error, ExpectedVersion};
use test_support::sqlite_file::{SqliteFile, assert_intact};

use super::super::database::{STORE, event, stream};
use super::gate::Gate;

fn small(database: &SqliteFile, capacity: usize) -> Writer {
    WriterOptions::default().queue_capacity(capacity).start(database.connect()).unwrap()
}

#[test]
fn a_full_queue_gives_the_request_back() {
    let database = SqliteFile::migrated();
    let writer = small(&database, 2);
    let gate = Gate::close(&writer);
    let request = || writer.append(&stream("1"), ExpectedVersion::Any, [event()]);
    let tickets = [request().try_send().unwrap(), request().try_send().unwrap()];
    let full = request().try_send().unwrap_err();
    assert!(full.to_string().contains("full"), "{full}");
    gate.open();
    tickets.into_iter().for_each(|ticket| _ = ticket.wait().unwrap());
    assert_eq!(full.request.wait().unwrap().version(), 3);
}

#[test]
fn sending_to_a_full_queue_waits_for_room() {
    let database = SqliteFile::migrated();
    let writer = small(&database, 1);
    let gate = Gate::close(&writer);
    let sent = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let ticket = writer.append(&stream("1"), ExpectedVersion::Any, [event()]).send();
                sent.fetch_add(1, Ordering::SeqCst);
                ticket.wait().unwrap();
            });
        }
        while sent.load(Ordering::SeqCst) == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        // Time for the others to be sent as well, if that were possible.
        thread::sleep(Duration::from_millis(100));
        assert_eq!(sent.load(Ordering::SeqCst), 1, "there is room for one");
        gate.open();
    });
    assert_eq!(STORE.version(&mut database.connect(), &stream("1")).unwrap(), 3);
}

#[test]
fn a_flood_is_slowed_down_and_not_lost() {
    const CALLERS: usize = 16;
    const APPENDS: usize = 100;
    let database = SqliteFile::migrated();
    let writer = small(&database, 3);
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                let send = |_| writer.append(&stream("1"), ExpectedVersion::Any, [event()]).send();
                let tickets: Vec<_> = (0..APPENDS).map(send).collect();
                tickets.into_iter().for_each(|ticket| _ = ticket.wait().unwrap());
            });
        }
    });
    let mut conn = database.connect();
    assert_eq!(STORE.version(&mut conn, &stream("1")).unwrap(), (CALLERS * APPENDS) as i64);
    assert_intact(&mut conn);
}

#[test]
fn what_is_dropped_before_it_was_sent_is_not_written_and_what_is_dropped_afterwards_is() {
    let database = SqliteFile::migrated();
    let writer = Writer::new(database.connect()).unwrap();
    let unsent = writer.append(&stream("unsent"), ExpectedVersion::Any, [event()]);
    drop(unsent);
    let sent = writer.append(&stream("sent"), ExpectedVersion::Any, [event()]).send();
    drop(sent);
    writer.drain().wait().unwrap();
    let mut conn = database.connect();
    assert_eq!(STORE.version(&mut conn, &stream("unsent")).unwrap(), 0);
    assert_eq!(STORE.version(&mut conn, &stream("sent")).unwrap(), 1);
}

#[test]
fn a_closure_may_send_to_its_own_writer_as_long_as_there_is_room() {
    let database = SqliteFile::migrated();
    let writer = small(&database, 1);
    let inner = writer.clone();
    let [room, none] = writer
        .transaction(move |_| {
            let send = || inner.append(&stream("1"), ExpectedVersion::Any, [event()]).send();
            Ok::<_, Error>([send(), send()])
        })
        .wait()
        .unwrap();
    assert_eq!(room.wait().unwrap().version(), 1);
    none.wait().unwrap_err();
}

/// Longer than the test takes: who waits for room cannot be waited for.
#[test]
fn a_full_queue_is_not_waited_for() {
    let database = SqliteFile::migrated();
    let patient = WriterOptions::default().queue_capacity(4).max_delay(Duration::from_secs(3600));
    let writer = patient.start(database.connect()).unwrap();
    let send = |_| writer.append(&stream("1"), ExpectedVersion::Any, [event()]).send();
    let tickets: Vec<_> = (0..12).map(send).collect();
    tickets.into_iter().for_each(|ticket| _ = ticket.wait().unwrap());
}
