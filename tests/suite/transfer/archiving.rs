//! Whole streams leave the log for a file, and come back.

use std::io;
use std::thread;
use std::time::Duration;

use diesel::Connection;
use diesel::connection::InstrumentationEvent;
use diesel_event_store::ExpectedVersion::{Any, Exact, NoStream};
use diesel_event_store::chrono::{DateTime, Utc};
use diesel_event_store::operate::{Finding, seal, verify};
use diesel_event_store::projection::{self, OnFailure, Projection, ProjectionError, StartFrom};
use diesel_event_store::transfer::{
    ArchiveError, Archived, ExportError, FileProblem, ImportError, Restored, archivable, export,
    export_archive, remove_archived, restore,
};
use diesel_event_store::{
    ConnectionRef, DatabaseError, DatabaseErrorKind, EventConnection, EventStore, LogQuery, NewEvent,
    Position, ReadError, RecordedEvent, write_transaction,
};
use test_support::witness::{begin, commit};
use test_support::{Result, TestDatabase, at_once, count, counted, execute, user};

use super::{BreaksOff, empty, exported, imported, unlock_leaves};
use crate::suite::housekeeping::remove;

tests! {
    whole_streams_leave_the_log,
    an_append_goes_on_at_the_version,
    a_stream_that_goes_on_stays,
    the_last_event_stays,
    nothing_leaves_that_a_projection_needs,
    events_before_a_time_leave,
    seals_still_hold,
    what_is_removed_by_hand_is_found,
    an_event_or_its_hash_is_there,
    an_event_and_its_hash_are_not_removed_at_the_same_moment,
    archives_and_restores_may_overlap,
    a_restore_waits_for_streams_in_the_order_of_all,
    an_archive_that_lacks_earlier_events_removes_nothing,
    to_read_from_below_is_refused,
    a_projection_from_below_is_refused,
    what_was_restored_is_as_it_was,
    the_newest_archive_is_restored_first,
    a_stream_that_lacks_events_is_archived_and_restored,
    what_was_interrupted_goes_on,
    a_stream_that_has_gone_on_since_stays,
    a_file_of_something_else_is_refused,
    an_archived_log_moves,
    what_is_left_of_an_event_cannot_be_edited,
    appends_and_readers_go_on,
    an_event_that_is_being_archived_is_read_once,
    a_restore_in_the_middle_hides_nothing,
    an_export_amid_a_restore_is_refused,
}

const STORE: EventStore = EventStore::new();

/// Alice, Bob and Carol have three events each, and the last one of all is Dave's.
fn filled<D: TestDatabase>() -> Result<(D, D::Conn)> {
    let (db, mut conn) = empty::<D>()?;
    for name in ["alice", "bob", "carol"] {
        STORE.append(&mut conn, &user(name)?, NoStream, &counted(3)?)?;
    }
    STORE.append(&mut conn, &user("dave")?, NoStream, &counted(1)?)?;
    Ok((db, conn))
}

fn file_of<C: EventConnection + ?Sized>(conn: &mut C, before: i64) -> Result<String> {
    let mut file = Vec::new();
    export_archive(conn, Position::new(before)?, &mut file)?;
    Ok(String::from_utf8(file)?)
}

fn removed<C: EventConnection + ?Sized>(conn: &mut C, file: &str) -> Result<Archived, ArchiveError> {
    remove_archived(conn, || Ok(file.as_bytes()))
}

fn restored<C: EventConnection + ?Sized>(conn: &mut C, file: &str) -> Result<Restored, ArchiveError> {
    restore(conn, || Ok(file.as_bytes()))
}

/// Archives what ends before this position.
fn archived<C: EventConnection + ?Sized>(conn: &mut C, before: i64) -> Result<String> {
    let file = file_of(conn, before)?;
    removed(conn, &file)?;
    Ok(file)
}

fn positions<C: EventConnection + ?Sized>(conn: &mut C) -> Result<Vec<i64>> {
    let left = LogQuery::after(Position::START).without_archived();
    let events = STORE.iter_log(conn, left).collect::<Result<Vec<_>, _>>()?;
    Ok(events.iter().map(|event| event.position().get()).collect())
}

fn whole_streams_leave_the_log<D: TestDatabase>() -> Result {
    let (_db, mut conn) = filled::<D>()?;
    let would = archivable(&mut conn, Position::new(7)?)?;
    assert_eq!((would.before().get(), would.streams(), would.events()), (7, 2, 6));
    let before = STORE.read_forward(&mut conn, Position::START, 6)?.into_events();

    let file = file_of(&mut conn, 7)?;
    assert_eq!(count(&mut conn, "events")?, 10, "nothing is removed yet");
    assert_eq!(file.lines().count(), 8);
    for (line, event) in file.lines().skip(1).zip(&before) {
        assert!(line.contains(&event.id().to_string()), "{line}");
    }
    let done = removed(&mut conn, &file)?;
    assert_eq!((done.streams(), done.events(), done.kept()), (2, 6, 0));
    assert_eq!(positions(&mut conn)?, [7, 8, 9, 10]);
    assert_eq!(STORE.archived_to(&mut conn)?, Position::new(6)?);

    let verified = verify(&mut conn)?;
    assert!(verified.is_sound(), "{verified:?}");
    assert_eq!((verified.events(), verified.archived()), (4, 6));
    assert_eq!(verified.archived_ranges(), [Position::new(1)?..=Position::new(6)?]);
    assert_eq!(archivable(&mut conn, Position::new(7)?)?.streams(), 0, "once is enough");
    Ok(())
}

fn an_append_goes_on_at_the_version<D: TestDatabase>() -> Result {
    let (_db, mut conn) = filled::<D>()?;
    archived(&mut conn, 7)?;
    for (name, first) in [("alice", 4), ("carol", 1), ("nobody", 1)] {
        assert_eq!(STORE.first_version(&mut conn, &user(name)?)?, first, "{name}");
    }
    assert_eq!(STORE.version(&mut conn, &user("alice")?)?, 3);
    assert!(STORE.append(&mut conn, &user("alice")?, NoStream, &counted(1)?).is_err());
    assert_eq!(STORE.append(&mut conn, &user("alice")?, Exact(3), &counted(1)?)?.version(), 4);
    assert_eq!(STORE.first_version(&mut conn, &user("alice")?)?, 4);
    assert_eq!(STORE.read_stream(&mut conn, &user("alice")?, ..)?.len(), 1);
    assert!(verify(&mut conn)?.is_sound());
    assert!(STORE.repair(&mut conn)?.is_nothing());
    Ok(())
}

/// Bob ends before, and Alice does not.
fn a_stream_that_goes_on_stays<D: TestDatabase>() -> Result {
    let (_db, mut conn) = filled::<D>()?;
    STORE.append(&mut conn, &user("alice")?, Exact(3), &counted(1)?)?;
    STORE.append(&mut conn, &user("dave")?, Any, &counted(1)?)?;
    archived(&mut conn, 7)?;
    assert_eq!(positions(&mut conn)?, [1, 2, 3, 7, 8, 9, 10, 11, 12]);
    Ok(())
}

fn the_last_event_stays<D: TestDatabase>() -> Result {
    let (_db, mut conn) = filled::<D>()?;
    let would = archivable(&mut conn, Position::END)?;
    assert_eq!((would.before().get(), would.streams()), (10, 3));
    archived(&mut conn, i64::MAX)?;
    assert_eq!(positions(&mut conn)?, [10]);
    assert_eq!(STORE.last_position(&mut conn)?, Position::new(10)?);
    let (_db, mut conn) = empty::<D>()?;
    let file = file_of(&mut conn, 1)?;
    assert_eq!(removed(&mut conn, &file)?, Archived::default());
    Ok(())
}

fn held_back<C: EventConnection>(conn: &mut C, before: i64) -> Result<String> {
    let error = archivable(conn, Position::new(before)?).expect_err("it is held back");
    assert!(matches!(error, ArchiveError::HeldBack { .. }), "{error:?}");
    Ok(error.to_string())
}

fn nothing_leaves_that_a_projection_needs<D: TestDatabase>() -> Result {
    let (_db, mut conn) = filled::<D>()?;
    let file = file_of(&mut conn, 7)?;
    STORE.save_checkpoint(&mut conn, "own", Position::new(6)?)?;
    let said = held_back(&mut conn, 7)?;
    let expected = "events before position 7 cannot be archived: own version 1 has only come to position 6";
    assert_eq!(said, expected);
    assert!(matches!(removed(&mut conn, &file), Err(ArchiveError::HeldBack { .. })), "not by a file, either");
    assert_eq!(archivable(&mut conn, Position::new(6)?)?.streams(), 1);
    STORE.save_checkpoint(&mut conn, "own", Position::new(10)?)?;

    let picky = |version| {
        let handler = move |_: &mut D::Conn, event: &RecordedEvent| match event.position().get() {
            4 if version == 1 => Err(io::Error::other("not this one").into()),
            _ => Ok(()),
        };
        Projection::new("picky", version, handler).on_failure(OnFailure::Park)
    };
    picky(1).catch_up(&mut conn)?;
    let said = held_back(&mut conn, 7)?;
    assert!(said.ends_with("picky version 1 has parked the event at position 4"), "{said}");
    picky(2).catch_up(&mut conn)?;
    projection::promote(&mut conn, ("picky", 2), |_| Ok::<_, ProjectionError>(()))?;
    assert_eq!(removed(&mut conn, &file)?.streams(), 2, "what is retired does not count");
    Ok(())
}

fn events_before_a_time_leave<D: TestDatabase>() -> Result {
    let (_db, mut conn) = empty::<D>()?;
    for (name, time) in [("alice", "2024-12-31T23:59:59.999999Z"), ("bob", "2025-01-01T00:00:00Z")] {
        let event = NewEvent::new("Counted", &1)?.created_at(time.parse::<DateTime<Utc>>()?);
        STORE.append(&mut conn, &user(name)?, NoStream, &[event])?;
    }
    STORE.append(&mut conn, &user("carol")?, NoStream, &counted(1)?)?;
    let new_year: DateTime<Utc> = "2025-01-01T00:00:00Z".parse()?;
    let would = archivable(&mut conn, new_year)?;
    assert_eq!((would.before().get(), would.events()), (2, 1));
    assert!(matches!(archivable(&mut conn, DateTime::<Utc>::MAX_UTC), Err(ArchiveError::Invalid(_))));
    Ok(())
}

fn seals_still_hold<D: TestDatabase>() -> Result {
    let (_db, mut conn) = filled::<D>()?;
    seal(&mut conn)?;
    let chain = seal(&mut conn)?.ok_or("there are events")?.chain().to_owned();
    archived(&mut conn, 7)?;
    STORE.append(&mut conn, &user("dave")?, Any, &counted(1)?)?;
    let newer = seal(&mut conn)?.ok_or("there are events")?;
    assert_eq!(newer.events(), 11);
    archived(&mut conn, 10)?;
    let verified = verify(&mut conn)?;
    assert!(verified.is_sound(), "{verified:?}");
    assert_eq!((verified.seals(), verified.events(), verified.archived()), (2, 2, 9));
    let file = exported(&mut conn)?;
    assert!(file.contains(r#"{"gone":{"global_position":9,"leaf":""#), "{file}");
    assert!(file.contains(&format!(r#""chain":"{}""#, newer.chain())), "it is the chain of the whole log");
    assert_ne!(chain, newer.chain());
    Ok(())
}

/// What leaves no hash is no archive, and a hash that was changed does not fit.
fn what_is_removed_by_hand_is_found<D: TestDatabase>() -> Result {
    let (_db, mut conn) = filled::<D>()?;
    seal(&mut conn)?;
    archived(&mut conn, 4)?;
    assert!(verify(&mut conn)?.is_sound());
    unlock_leaves(&mut conn)?;
    execute(&mut conn, "CREATE TABLE kept AS SELECT * FROM event_rewrites")?;
    for leaf in ["none", &"a".repeat(64)] {
        let change = format!("UPDATE event_rewrites SET leaf = '{leaf}' WHERE global_position = 2");
        execute(&mut conn, &change)?;
        assert!(!verify(&mut conn)?.is_sound(), "{leaf}");
        let back = "UPDATE event_rewrites SET leaf = \
                    (SELECT leaf FROM kept WHERE kept.global_position = event_rewrites.global_position)";
        execute(&mut conn, back)?;
        assert!(verify(&mut conn)?.is_sound());
    }
    remove(&mut conn, "global_position = 5")?;
    let verified = verify(&mut conn)?;
    assert!(matches!(verified.findings(), [.., Finding::Seal { .. }]), "{verified:?}");
    Ok(())
}

fn refused<C: EventConnection>(conn: &mut C, sql: &str) -> DatabaseErrorKind {
    DatabaseError::from(execute(conn, sql).expect_err("it is refused")).kind()
}

fn an_event_or_its_hash_is_there<D: TestDatabase>() -> Result {
    let (_db, mut conn) = filled::<D>()?;
    archived(&mut conn, 4)?;
    for sql in [
        "DELETE FROM events WHERE global_position = 5",
        "DELETE FROM event_rewrites WHERE global_position = 2",
        "UPDATE event_rewrites SET reason = 'archived'",
    ] {
        assert_eq!(refused(&mut conn, sql), DatabaseErrorKind::AppendOnly, "{sql}");
    }
    assert_eq!((count(&mut conn, "events")?, count(&mut conn, "event_rewrites")?), (7, 3));
    let leave = "INSERT INTO event_rewrites SELECT 5, leaf, reason, rewritten_at FROM event_rewrites \
                 WHERE global_position = 2";
    execute(&mut conn, leave)?;
    assert_eq!(STORE.archived_to(&mut conn)?, Position::new(3)?, "the event is still there");
    execute(&mut conn, "DELETE FROM event_rewrites WHERE global_position = 5")?;
    execute(&mut conn, leave)?;
    execute(&mut conn, "DELETE FROM events WHERE global_position = 5")?;
    assert_eq!(STORE.archived_to(&mut conn)?, Position::new(5)?);
    Ok(())
}

/// From now on it gives up soon.
fn waits_briefly<C: EventConnection>(conn: &mut C) -> Result {
    let set = match conn.lend() {
        #[cfg(feature = "sqlite")]
        ConnectionRef::Sqlite(_) => "PRAGMA busy_timeout = 100",
        #[cfg(feature = "postgres")]
        ConnectionRef::Postgres(_) => "SET lock_timeout = 100",
        #[cfg(feature = "mysql")]
        ConnectionRef::Mysql(_) => "SET SESSION innodb_lock_wait_timeout = 1",
        _ => unreachable!("there is no other database"),
    };
    Ok(execute(conn, set)?)
}

fn an_event_and_its_hash_are_not_removed_at_the_same_moment<D: TestDatabase>() -> Result {
    let (db, mut conn) = filled::<D>()?;
    let mut other = db.connect()?;
    waits_briefly(&mut other)?;
    execute(
        &mut conn,
        "INSERT INTO event_rewrites (global_position, leaf, reason, rewritten_at) \
         VALUES (5, 'none', 'archived', '2026-01-01 00:00:00')",
    )?;
    let event = "DELETE FROM events WHERE global_position = 5";
    let hash = "DELETE FROM event_rewrites WHERE global_position = 5";
    for (first, second) in [(event, hash), (hash, event)] {
        let rolled_back = write_transaction(&mut conn, |conn| -> Result {
            execute(conn, first)?;
            let kind = refused(&mut other, second);
            assert!(matches!(kind, DatabaseErrorKind::Locked | DatabaseErrorKind::AppendOnly), "{kind:?}");
            Err("not this time".into())
        });
        assert!(rolled_back.is_err());
    }
    Ok(())
}

fn archives_and_restores_may_overlap<D: TestDatabase>() -> Result {
    let (db, mut conn) = empty::<D>()?;
    for stream in 0..60 {
        STORE.append(&mut conn, &user(&stream.to_string())?, NoStream, &counted(3)?)?;
    }
    STORE.append(&mut conn, &user("last")?, NoStream, &counted(1)?)?;
    seal(&mut conn)?;
    let before = exported(&mut conn)?;
    let (short, long) = (file_of(&mut conn, 91)?, file_of(&mut conn, 181)?);
    let mut conns = (0..4).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    for _ in 0..3 {
        let outcomes = at_once(&mut conns, |index, conn| {
            let file = if index % 2 == 0 { &short } else { &long };
            loop {
                let done =
                    if index < 2 { removed(conn, file).map(drop) } else { restored(conn, file).map(drop) };
                match done {
                    Err(error) if error.is_retryable() => {}
                    done => return done,
                }
            }
        });
        outcomes.into_iter().collect::<Result<(), _>>()?;
        let verified = verify(&mut conn)?;
        assert!(verified.is_sound(), "{verified:?}");
        assert_eq!(verified.events() + verified.archived(), 181);
    }
    restored(&mut conn, &long)?;
    assert_eq!(exported(&mut conn)?, before);
    assert_eq!(count(&mut conn, "event_rewrites")?, 0);
    Ok(())
}

/// In the order of their names, whatever their order in the file. Otherwise two would wait for each other.
fn a_restore_waits_for_streams_in_the_order_of_all<D: TestDatabase>() -> Result {
    let (db, mut conn) = empty::<D>()?;
    for name in ["bob", "alice", "dave"] {
        STORE.append(&mut conn, &user(name)?, NoStream, &counted(1)?)?;
    }
    let file = archived(&mut conn, 3)?;
    let mut other = db.connect()?;
    thread::scope(|scope| -> Result {
        begin(&mut conn)?;
        STORE.append(&mut conn, &user("alice")?, Exact(1), &counted(1)?)?;
        let restoring = scope.spawn(|| restored(&mut other, &file));
        thread::sleep(Duration::from_millis(300)); // time for the restore to wait for Alice
        STORE.append(&mut conn, &user("bob")?, Exact(1), &counted(1)?)?;
        commit(&mut conn)?;
        assert_eq!(restoring.join().expect("it does not panic")?.events(), 2);
        Ok(())
    })?;
    assert!(verify(&mut conn)?.is_sound());
    Ok(())
}

/// They are in another file, and were restored.
fn an_archive_that_lacks_earlier_events_removes_nothing<D: TestDatabase>() -> Result {
    let (_db, mut conn) = filled::<D>()?;
    let old = archived(&mut conn, 4)?;
    STORE.append(&mut conn, &user("alice")?, Exact(3), &counted(2)?)?;
    STORE.append(&mut conn, &user("dave")?, Any, &counted(1)?)?;
    let new = archived(&mut conn, 13)?;
    restored(&mut conn, &new)?;
    restored(&mut conn, &old)?;
    let done = removed(&mut conn, &new)?;
    assert_eq!((done.streams(), done.kept()), (2, 1), "Bob and Carol");
    assert_eq!(STORE.read_stream(&mut conn, &user("alice")?, ..)?.len(), 5);
    assert_eq!(STORE.first_version(&mut conn, &user("alice")?)?, 1);
    assert!(verify(&mut conn)?.is_sound());
    Ok(())
}

fn to_read_from_below_is_refused<D: TestDatabase>() -> Result {
    let (_db, mut conn) = filled::<D>()?;
    archived(&mut conn, 7)?;
    for after in [0, 5] {
        match STORE.read_forward(&mut conn, Position::new(after)?, 2) {
            Err(error @ ReadError::Archived { .. }) => {
                let said = error.to_string();
                let begin =
                    format!("the log was to be read after position {after}, but events up to position 6");
                assert!(said.starts_with(&begin) && !error.is_retryable(), "{said}");
            }
            other => panic!("{other:?}"),
        }
    }
    let first = STORE.iter_log(&mut conn, LogQuery::after(Position::START)).next();
    assert!(matches!(first, Some(Err(ReadError::Archived { .. }))), "{first:?}");
    // A filter makes no difference: what it would have found is not known.
    let filtered = LogQuery::after(Position::START).event_types(["Uncounted"]);
    assert!(matches!(STORE.read_log(&mut conn, &filtered, 2), Err(ReadError::Archived { .. })));

    let above = STORE.archived_to(&mut conn)?;
    assert_eq!(STORE.read_forward(&mut conn, above, 9)?.len(), 4);
    assert_eq!(STORE.read_backward(&mut conn, Position::END, 9)?.len(), 4);
    assert_eq!(STORE.read_log(&mut conn, &filtered.without_archived(), 2)?.len(), 0);
    Ok(())
}

fn a_projection_from_below_is_refused<D: TestDatabase>() -> Result {
    let (_db, mut conn) = filled::<D>()?;
    let users = |version| Projection::new("users", version, |_: &mut D::Conn, _: &RecordedEvent| Ok(()));
    users(1).catch_up(&mut conn)?;
    archived(&mut conn, 7)?;

    for start in [StartFrom::Beginning, StartFrom::Position(Position::new(5)?)] {
        let refused = users(2).start_from(start).catch_up(&mut conn).expect_err("events are missing");
        assert!(matches!(refused, ProjectionError::Archived { .. }), "{refused:?}");
    }
    assert_eq!(projection::status(&mut conn)?.len(), 1, "nothing was created");
    let reset = projection::reset(&mut conn, ("users", 1), |_| Ok::<_, ProjectionError>(()));
    assert!(matches!(reset, Err(ProjectionError::Archived { .. })), "{reset:?}");
    let archived_to = STORE.archived_to(&mut conn)?;
    let later = users(2).start_from(StartFrom::Position(archived_to)).catch_up(&mut conn)?;
    assert_eq!(later.applied(), 4);

    // The one that has applied everything goes on.
    STORE.append(&mut conn, &user("alice")?, Exact(3), &counted(1)?)?;
    assert_eq!(users(1).catch_up(&mut conn)?.applied(), 1);
    // One that was put back past the library stops, and does not go on with less.
    execute(
        &mut conn,
        "UPDATE projection_checkpoints SET last_global_position = 2 WHERE projection_version = 1",
    )?;
    let refused = users(1).catch_up(&mut conn).expect_err("events are missing");
    assert!(matches!(refused, ProjectionError::Archived { after, .. } if after.get() == 2), "{refused:?}");
    Ok(())
}

fn what_was_restored_is_as_it_was<D: TestDatabase>() -> Result {
    let (_db, mut conn) = filled::<D>()?;
    seal(&mut conn)?;
    let before = exported(&mut conn)?;
    let file = archived(&mut conn, 7)?;
    assert_ne!(exported(&mut conn)?, before);
    let back = restored(&mut conn, &file)?;
    assert_eq!((back.streams(), back.events()), (2, 6));
    assert_eq!(exported(&mut conn)?, before);
    assert_eq!((STORE.archived_to(&mut conn)?, count(&mut conn, "event_rewrites")?), (Position::START, 0));
    assert_eq!(STORE.read_forward(&mut conn, Position::START, 20)?.len(), 10);
    assert!(verify(&mut conn)?.is_sound());
    assert_eq!(restored(&mut conn, &file)?, Restored::default(), "it is there already");
    // And once more.
    assert_eq!(removed(&mut conn, &file)?.events(), 6);
    assert_eq!(STORE.append(&mut conn, &user("alice")?, Exact(3), &counted(1)?)?.version(), 4);
    assert_eq!(restored(&mut conn, &file)?.events(), 6);
    assert_eq!(STORE.read_stream(&mut conn, &user("alice")?, ..)?.len(), 4);
    Ok(())
}

fn the_newest_archive_is_restored_first<D: TestDatabase>() -> Result {
    let (_db, mut conn) = filled::<D>()?;
    let old = archived(&mut conn, 4)?;
    STORE.append(&mut conn, &user("alice")?, Exact(3), &counted(2)?)?;
    STORE.append(&mut conn, &user("dave")?, Any, &counted(1)?)?;
    let before = exported(&mut conn)?;
    let new = archived(&mut conn, 13)?;
    assert!(new.contains(r#"{"stream":{"aggregate_type":"User","aggregate_id":"alice","first_version":4,"#));
    match restored(&mut conn, &old) {
        Err(ArchiveError::Gap { stream, ends, begins, .. }) => {
            assert_eq!((stream, ends, begins), (user("alice")?, 3, 6));
        }
        other => panic!("{other:?}"),
    }
    restored(&mut conn, &new)?;
    assert_eq!(exported(&mut conn)?, before);
    assert_eq!(STORE.first_version(&mut conn, &user("alice")?)?, 4);
    restored(&mut conn, &old)?;
    assert_eq!(STORE.first_version(&mut conn, &user("alice")?)?, 1);
    assert_eq!(STORE.archived_to(&mut conn)?, Position::START);
    Ok(())
}

fn a_stream_that_lacks_events_is_archived_and_restored<D: TestDatabase>() -> Result {
    let (_db, mut conn) = filled::<D>()?;
    remove(&mut conn, "global_position = 2")?;
    seal(&mut conn)?;
    let before = exported(&mut conn)?;
    assert_eq!(archivable(&mut conn, Position::new(7)?)?.events(), 5);
    let file = archived(&mut conn, 7)?;
    assert_eq!(positions(&mut conn)?, [7, 8, 9, 10]);
    assert_eq!(restored(&mut conn, &file)?.events(), 5);
    assert_eq!(exported(&mut conn)?, before);
    assert!(exported(&mut conn)?.contains(r#""missing":[[2,2]]"#));
    Ok(())
}

/// Of its openings, this one breaks off.
fn interrupted<C: EventConnection>(conn: &mut C, file: &str, opening: u32) -> Result<Archived, ArchiveError> {
    let mut opened = 0;
    remove_archived(conn, || {
        opened += 1;
        let is_whole = opened != opening;
        let readable = if is_whole { file.len() } else { file.len() * 9 / 10 };
        Ok(io::BufReader::new(BreaksOff { file: &file.as_bytes()[..readable], is_whole }))
    })
}

fn what_was_interrupted_goes_on<D: TestDatabase>() -> Result {
    let (_db, mut conn) = empty::<D>()?;
    for stream in 0..150 {
        STORE.append(&mut conn, &user(&stream.to_string())?, NoStream, &counted(2)?)?;
    }
    STORE.append(&mut conn, &user("last")?, NoStream, &counted(1)?)?;
    seal(&mut conn)?;
    let before = exported(&mut conn)?;
    let file = file_of(&mut conn, 301)?;
    for opening in [1, 2] {
        assert!(interrupted(&mut conn, &file, opening).is_err());
        assert_eq!((count(&mut conn, "events")?, count(&mut conn, "event_rewrites")?), (301, 0));
    }
    assert!(interrupted(&mut conn, &file, 3).is_err());
    let left = count(&mut conn, "events")?;
    assert!(0 < left && left < 301, "{left} are left");
    assert_eq!(count(&mut conn, "event_rewrites")? + left, 301, "an event or its hash");
    let verified = verify(&mut conn)?;
    assert!(verified.is_sound(), "{verified:?}");

    let done = removed(&mut conn, &file)?;
    assert_eq!((done.events() as i64, done.kept()), (left - 1, 0));
    assert_eq!((count(&mut conn, "events")?, count(&mut conn, "event_rewrites")?), (1, 300));
    assert!(verify(&mut conn)?.is_sound());
    restored(&mut conn, &file)?;
    assert_eq!(exported(&mut conn)?, before);
    Ok(())
}

fn a_stream_that_has_gone_on_since_stays<D: TestDatabase>() -> Result {
    let (_db, mut conn) = filled::<D>()?;
    let file = file_of(&mut conn, 7)?;
    STORE.append(&mut conn, &user("alice")?, Exact(3), &counted(1)?)?;
    let done = removed(&mut conn, &file)?;
    assert_eq!((done.streams(), done.events(), done.kept()), (1, 3, 1));
    assert_eq!(positions(&mut conn)?, [1, 2, 3, 7, 8, 9, 10, 11]);
    assert_eq!(count(&mut conn, "event_rewrites")?, 3, "only of what is gone");
    assert_eq!(STORE.read_stream(&mut conn, &user("alice")?, ..)?.len(), 4);
    assert_eq!(STORE.first_version(&mut conn, &user("alice")?)?, 1);
    Ok(())
}

fn a_file_of_something_else_is_refused<D: TestDatabase>() -> Result {
    let ((_db, mut conn), (_other, mut other)) = (filled::<D>()?, filled::<D>()?);
    let (log, archive) = (exported(&mut conn)?, file_of(&mut conn, 7)?);
    for of_file in [removed(&mut conn, &log).map(drop), restored(&mut conn, &log).map(drop)] {
        let problem = FileProblem::NotAnArchive.to_string();
        let ArchiveError::File(ImportError::File { line: 1, problem: found, .. }) = of_file.unwrap_err()
        else {
            panic!("it is no archive")
        };
        assert_eq!(found.to_string(), problem);
    }
    let (_empty, mut new) = empty::<D>()?;
    let refused = imported(&mut new, &archive).unwrap_err();
    assert!(matches!(refused, ImportError::File { problem: FileProblem::Archive, .. }), "{refused:?}");
    let cut = &archive[..archive.len() - 5];
    assert!(matches!(removed(&mut conn, cut), Err(ArchiveError::File(_))));
    let changed = archive.replacen("\"payload\":1", "\"payload\":7", 1);
    assert!(matches!(removed(&mut conn, &changed), Err(ArchiveError::File(_))));
    assert!(matches!(removed(&mut other, &archive), Err(ArchiveError::OtherLog { .. })));
    assert!(matches!(restored(&mut other, &archive), Err(ArchiveError::OtherLog { .. })));

    // The same log, but a copy in which something else has happened.
    let id = STORE.log_id(&mut conn)?;
    execute(&mut other, &format!("UPDATE event_log SET log_id = '{id}'"))?;
    for differs in [removed(&mut other, &archive).map(drop), restored(&mut other, &archive).map(drop)] {
        assert!(matches!(differs, Err(ArchiveError::Differs { line: 2, .. })), "{differs:?}");
    }
    assert_eq!((count(&mut conn, "events")?, count(&mut other, "events")?), (10, 10));
    Ok(())
}

/// What was archived stays so, and a seal from before fits there as well.
fn an_archived_log_moves<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (filled::<D>()?, empty::<D>()?);
    let file = archived(&mut from, 7)?;
    let log = exported(&mut from)?;
    assert_eq!(imported(&mut to, &log)?.events(), 4);
    assert_eq!(exported(&mut to)?, log);
    assert_eq!(STORE.archived_to(&mut to)?, Position::new(6)?);
    assert_eq!(STORE.first_version(&mut to, &user("alice")?)?, 4);
    assert!(matches!(STORE.read_forward(&mut to, Position::START, 1), Err(ReadError::Archived { .. })));
    let chain = |conn: &mut D::Conn| -> Result<_> { Ok(seal(conn)?.map(|seal| seal.chain().to_owned())) };
    assert_eq!(chain(&mut to)?, chain(&mut from)?);
    assert_eq!(restored(&mut to, &file)?.events(), 6);
    assert!(verify(&mut to)?.is_sound());
    Ok(())
}

/// The chain knows the hash of an event that is gone, and not its position.
fn what_is_left_of_an_event_cannot_be_edited<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (filled::<D>()?, empty::<D>()?);
    archived(&mut from, 7)?;
    let log = exported(&mut from)?;
    let line = log.lines().rfind(|line| line.starts_with("{\"gone\":")).ok_or("events are gone")?;
    let (before, leaf) = line.split_once("\"leaf\":").ok_or("it has a hash")?;
    for edited in [format!("{before} \"leaf\":{leaf}"), format!("{before}\"leaf\":{}", leaf.to_uppercase())] {
        assert!(imported(&mut to, log.replacen(line, &edited, 1)).is_err(), "{edited}");
    }
    assert_eq!(count(&mut to, "events")?, 0);
    assert_eq!(imported(&mut to, &log)?.events(), 4);
    Ok(())
}

/// Nobody is told less than there is.
fn appends_and_readers_go_on<D: TestDatabase>() -> Result {
    let (db, mut conn) = empty::<D>()?;
    for stream in 0..120 {
        STORE.append(&mut conn, &user(&stream.to_string())?, NoStream, &counted(5)?)?;
    }
    STORE.append(&mut conn, &user("last")?, NoStream, &counted(1)?)?;
    let file = file_of(&mut conn, 601)?;
    let mut conns = (0..4).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    let outcomes = at_once(&mut conns, |index, conn| -> Result {
        match index {
            0 => while removed(conn, &file).is_err_and(|error| error.is_retryable()) {},
            1 => {
                for nth in 0..50 {
                    STORE.append(conn, &user(&format!("new {nth}"))?, NoStream, &counted(1)?)?;
                }
            }
            _ => {
                for _ in 0..30 {
                    match STORE.read_forward(conn, Position::START, 1_000) {
                        Ok(slice) => assert!(slice.len() > 600, "only {} of the events", slice.len()),
                        Err(ReadError::Archived { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
        }
        Ok(())
    });
    outcomes.into_iter().collect::<Result>()?;
    let verified = verify(&mut conn)?;
    assert!(verified.is_sound(), "{verified:?}");
    assert_eq!((verified.archived(), verified.events()), (600, 51));
    Ok(())
}

/// What is to be left of it stands there before it goes.
fn an_event_that_is_being_archived_is_read_once<D: TestDatabase>() -> Result {
    let (_db, mut conn) = filled::<D>()?;
    seal(&mut conn)?;
    let leaf = "0".repeat(64);
    execute(
        &mut conn,
        &format!(
            "INSERT INTO event_rewrites (global_position, leaf, reason, rewritten_at) \
             VALUES (1, '{leaf}', 'archived', '2026-01-01 00:00:00')"
        ),
    )?;
    let verified = verify(&mut conn)?;
    assert!(verified.is_sound(), "{verified:?}");
    assert_eq!((verified.events(), verified.archived()), (10, 0));
    Ok(())
}

/// A connection that reads the log. As soon as it has read events, and is about to read what is left of
/// others, these are back.
fn restores_meanwhile<D: TestDatabase>(db: &D, file: String) -> Result<D::Conn> {
    let (mut reader, mut conn) = (db.connect()?, Some(db.connect()?));
    reader.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        let InstrumentationEvent::StartQuery { query, .. } = event else { return };
        let is_next = query.to_string().contains("leaf FROM event_rewrites");
        if let Some(mut conn) = conn.take_if(|_| is_next) {
            assert_eq!(restored(&mut conn, &file).expect("nothing is in the way").events(), 6);
        }
    });
    Ok(reader)
}

fn a_restore_in_the_middle_hides_nothing<D: TestDatabase>() -> Result {
    let (db, mut conn) = filled::<D>()?;
    seal(&mut conn)?;
    let file = archived(&mut conn, 7)?;
    let verified = verify(&mut restores_meanwhile(&db, file)?)?;
    assert!(verified.is_sound(), "{verified:?}");
    assert_eq!((verified.events(), verified.archived()), (10, 0));
    Ok(())
}

fn an_export_amid_a_restore_is_refused<D: TestDatabase>() -> Result {
    let (db, mut conn) = filled::<D>()?;
    let before = exported(&mut conn)?;
    let file = archived(&mut conn, 7)?;
    let mut reader = restores_meanwhile(&db, file)?;
    let refused = export(&mut reader, Vec::new()).expect_err("its lines would not agree");
    assert!(matches!(refused, ExportError::Changed) && refused.is_retryable(), "{refused}");
    assert_eq!(exported(&mut reader)?, before);
    Ok(())
}
