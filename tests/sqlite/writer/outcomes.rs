use std::slice;
use std::thread;
use std::time::Duration;

use diesel::prelude::*;
use diesel_event_store::sqlite::{Ticket, WriteError, Writer, WriterOptions};
use diesel_event_store::{AppendError, Error, EventStore, ExpectedVersion, NewEvent};
use test_support::sqlite_file::{SqliteFile, assert_intact};

use super::super::database::{STORE, append_one, count, event, events, stream};
use super::gate::Gate;

#[test]
fn an_append_says_what_was_recorded() {
    let database = SqliteFile::migrated();
    let writer = Writer::new(database.connect()).unwrap();
    let appended = writer.append(&stream("1"), ExpectedVersion::NoStream, events(3)).wait().unwrap();
    assert_eq!((appended.previous_version(), appended.version()), (0, 3));
    let read = STORE.read_stream(&mut database.connect(), &stream("1"), ..).unwrap();
    assert_eq!(read.events(), appended.events());
}

#[test]
fn what_one_commit_makes_durable_is_seen_by_others_only_when_their_callers_hear_of_it() {
    let database = SqliteFile::migrated();
    let writer = Writer::new(database.connect()).unwrap();
    let gate = Gate::close(&writer);
    let first = writer.append(&stream("1"), ExpectedVersion::Any, [event()]).send();
    let last = look(&writer, &database);
    gate.open();
    assert_eq!(first.wait().unwrap().version(), 1);
    assert_eq!(STORE.version(&mut database.connect(), &stream("1")).unwrap(), 1);
    assert_eq!(last.wait().unwrap(), (1, 0));
}

/// The version of the stream inside of the transaction, and as others see it.
fn look(writer: &Writer, database: &SqliteFile) -> Ticket<(i64, i64), Error> {
    let path = database.path().display().to_string();
    let look = writer.transaction(move |conn| {
        let outside = &mut SqliteConnection::establish(&path).unwrap();
        Ok((STORE.version(conn, &stream("1"))?, STORE.version(outside, &stream("1"))?))
    });
    look.send()
}

#[test]
fn a_batch_is_no_larger_than_it_may_be() {
    let database = SqliteFile::migrated();
    let writer = WriterOptions::default().max_batch(2).start(database.connect()).unwrap();
    let gate = Gate::close(&writer);
    let appends = [1, 2].map(|_| writer.append(&stream("1"), ExpectedVersion::Any, [event()]).send());
    let third = look(&writer, &database);
    gate.open();
    appends.into_iter().for_each(|ticket| _ = ticket.wait().unwrap());
    assert_eq!(third.wait().unwrap(), (2, 2), "a group of its own");
}

#[test]
fn a_delay_gathers_what_comes_meanwhile() {
    let database = SqliteFile::migrated();
    let options = WriterOptions::default().max_delay(Duration::from_secs(1));
    let writer = options.start(database.connect()).unwrap();
    let first = writer.append(&stream("1"), ExpectedVersion::Any, [event()]).send();
    thread::sleep(Duration::from_millis(50));
    let second = look(&writer, &database);
    assert_eq!(first.wait().unwrap().version(), 1);
    assert_eq!(second.wait().unwrap(), (1, 0), "the same group");
}

#[test]
fn a_full_batch_does_not_wait_for_more() {
    let database = SqliteFile::migrated();
    let options = WriterOptions::default().max_delay(Duration::from_secs(86_400)).max_batch(5);
    let writer = options.start(database.connect()).unwrap();
    let tickets: Vec<_> =
        (0..5).map(|_| writer.append(&stream("1"), ExpectedVersion::Any, [event()]).send()).collect();
    let versions: Vec<_> = tickets.into_iter().map(|ticket| ticket.wait().unwrap().version()).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5]);
}

#[test]
fn a_conflict_a_duplicate_and_bad_input_touch_nobody_else_in_the_group() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    append_one(&mut conn, &stream("taken"));
    let recorded = event();
    STORE.append(&mut conn, &stream("old"), ExpectedVersion::Any, slice::from_ref(&recorded)).unwrap();

    let writer = Writer::new(database.connect()).unwrap();
    let gate = Gate::close(&writer);
    let send = |id, expected, events: Vec<NewEvent>| writer.append(&stream(id), expected, events).send();
    let good = send("good", ExpectedVersion::NoStream, events(2));
    let conflict = send("taken", ExpectedVersion::NoStream, events(2));
    let duplicate = send("new", ExpectedVersion::NoStream, vec![event(), recorded.clone()]);
    let bad = send("bad", ExpectedVersion::Any, vec![]);
    let late = send("good", ExpectedVersion::Exact(2), events(9));
    gate.open();

    assert_eq!(good.wait().unwrap().version(), 2);
    assert_eq!(conflict.wait().unwrap_err().conflict().unwrap().actual, 1);
    match duplicate.wait().unwrap_err() {
        WriteError::Append(AppendError::DuplicateEventId {
            event_id,
            event_index: 1,
            recorded: found,
            ..
        }) => {
            let found = found.unwrap();
            assert_eq!((event_id, found.event().id()), (recorded.id(), recorded.id()));
            assert_eq!((found.event().stream(), found.is_same_event()), (&stream("old"), false));
        }
        other => panic!("{other}"),
    }
    assert!(
        matches!(bad.wait().unwrap_err(), WriteError::Append(AppendError::Invalid(invalid)) if invalid.field() == "events")
    );
    assert_eq!(late.wait().unwrap().version(), 11);
    assert_eq!(STORE.version(&mut conn, &stream("new")).unwrap(), 0, "nothing of what failed");
    assert_eq!(count(&mut conn, "events"), 13);
    assert_intact(&mut conn);
}

#[test]
fn the_same_duplicate_again_and_again_in_a_group_leaves_nothing_behind() {
    let database = SqliteFile::migrated();
    let writer = Writer::new(database.connect()).unwrap();
    let repeated = event();
    let gate = Gate::close(&writer);
    let tickets: Vec<_> = (0..50)
        .map(|nth| {
            let event = if nth % 2 == 0 { repeated.clone() } else { event() };
            writer.append(&stream(&nth.to_string()), ExpectedVersion::NoStream, [event]).send()
        })
        .collect();
    gate.open();
    let won = tickets.into_iter().map(Ticket::wait).filter(Result::is_ok).count();
    assert_eq!(won, 26, "the first of the repeated, and all others");
    let mut conn = database.connect();
    assert_eq!(count(&mut conn, "events"), 26);
    assert_eq!(count(&mut conn, "aggregate_heads"), 26);
    assert_intact(&mut conn);
}

#[test]
fn what_a_caller_sends_first_is_written_first() {
    const CALLERS: usize = 8;
    const APPENDS: i64 = 50;
    let database = SqliteFile::migrated();
    let options = WriterOptions::default().max_batch(7).queue_capacity(20);
    let writer = options.start(database.connect()).unwrap();
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let writer = &writer;
            scope.spawn(move || {
                let stream = stream(&caller.to_string());
                let send =
                    |version| writer.append(&stream, ExpectedVersion::Exact(version), [event()]).send();
                let tickets: Vec<_> = (0..APPENDS).map(send).collect();
                for (version, ticket) in (1..).zip(tickets) {
                    assert_eq!(ticket.wait().unwrap().version(), version);
                }
            });
        }
    });
    assert_intact(&mut database.connect());
}

#[test]
fn plain_appends_on_other_connections_go_on_beside_it() {
    let database = SqliteFile::migrated();
    let writer = Writer::new(database.connect()).unwrap();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut conn = database.connect();
                (0..50).for_each(|_| _ = append_one(&mut conn, &stream("shared")));
            });
            scope.spawn(|| {
                for _ in 0..50 {
                    writer.append(&stream("shared"), ExpectedVersion::Any, [event()]).wait().unwrap();
                }
            });
        }
    });
    let mut conn = database.connect();
    assert_eq!(STORE.version(&mut conn, &stream("shared")).unwrap(), 200);
    assert_intact(&mut conn);
}

#[test]
fn the_limits_of_its_store_hold() {
    let database = SqliteFile::migrated();
    let options = WriterOptions::default().store(EventStore::new().max_json_bytes(10));
    let writer = options.start(database.connect()).unwrap();
    let large = NewEvent::new("Written", &"x".repeat(100)).unwrap();
    let refused = writer.append(&stream("1"), ExpectedVersion::Any, [large]).wait().unwrap_err();
    assert!(
        matches!(refused, WriteError::Append(AppendError::Invalid(invalid)) if invalid.field() == "payload")
    );
}
