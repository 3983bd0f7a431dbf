//! The two orderings, and changing from one to the other while others append and read.

use std::thread;
use std::time::Duration;

use diesel::prelude::*;
use diesel_event_store::{DatabaseErrorKind, EventStore, ExpectedVersion, LogOrdering, Position, StreamId};
use test_support::{Result, count, counted, execute};

use super::database::{Database, STORE, append, begin, commit, kind_of, log, rollback};

fn positions(conn: &mut MysqlConnection) -> Result<Vec<i64>> {
    let log = STORE.read_forward(conn, Position::START, 1000)?;
    Ok(log.events().iter().map(|event| event.position().get()).collect())
}

#[test]
fn a_new_database_is_fenced() -> Result {
    let db = Database::migrated()?;
    assert_eq!(STORE.log_ordering(&mut db.connect()?)?, LogOrdering::Fenced);
    Ok(())
}

#[test]
fn gapless_positions_have_no_gap_after_a_rollback() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    STORE.set_log_ordering(&mut conn, LogOrdering::Gapless)?;
    append(&mut conn, "1")?;
    begin(&mut conn)?;
    append(&mut conn, "undone")?;
    rollback(&mut conn)?;
    STORE.append(&mut conn, &StreamId::new("Test", "2")?, ExpectedVersion::Any, &counted(100)?)?;
    assert_eq!(positions(&mut conn)?, Vec::from_iter(1..=101));
    Ok(())
}

/// Also when sessions count in other steps.
#[test]
fn the_positions_that_are_returned_are_those_that_are_stored() -> Result {
    for ordering in [LogOrdering::Fenced, LogOrdering::Gapless] {
        let db = Database::migrated()?;
        let mut conn = db.connect()?;
        STORE.set_log_ordering(&mut conn, ordering)?;
        for (increment, offset) in [(1, 1), (3, 2), (10, 7), (2, 1)] {
            execute(&mut conn, &format!("SET auto_increment_increment = {increment}"))?;
            execute(&mut conn, &format!("SET auto_increment_offset = {offset}"))?;
            for size in [1, 2, 63, 64, 65, 200] {
                let stream = StreamId::new("Test", size)?;
                let appended = STORE.append(&mut conn, &stream, ExpectedVersion::Any, &counted(size)?)?;
                let read = STORE.read_stream(&mut conn, &stream, appended.previous_version() + 1..)?;
                assert_eq!(read.events(), appended.events());
            }
        }
        let positions = positions(&mut conn)?;
        assert!(positions.is_sorted());
    }
    Ok(())
}

#[test]
fn many_who_append_at_once_are_returned_their_own_positions() -> Result {
    let db = Database::migrated()?;
    thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let db = &db;
                scope.spawn(move || -> Result {
                    let mut conn = db.connect()?;
                    let stream = StreamId::new("Writer", writer)?;
                    for size in [100, 3, 64, 37] {
                        STORE.append(&mut conn, &stream, ExpectedVersion::Any, &counted(size)?)?;
                    }
                    let read = STORE.read_stream(&mut conn, &stream, ..)?;
                    let first = STORE.read_event(&mut conn, read.events()[0].id())?;
                    assert_eq!(first.as_ref(), read.events().first());
                    let again = STORE.append(&mut conn, &stream, ExpectedVersion::Any, &counted(200)?)?;
                    let read = STORE.read_stream(&mut conn, &stream, again.previous_version() + 1..)?;
                    assert_eq!(read.events(), again.events());
                    Ok(())
                })
            })
            .collect();
        writers.into_iter().try_for_each(|writer| writer.join().expect("no panic"))
    })
}

#[test]
fn a_change_waits_for_whoever_is_appending() -> Result {
    for isolation_level in ["READ COMMITTED", "REPEATABLE READ"] {
        let db = Database::migrated()?;
        let (mut slow, mut admin) = (db.connect_in(isolation_level)?, db.connect()?);
        for ordering in [LogOrdering::Gapless, LogOrdering::Fenced] {
            begin(&mut slow)?;
            append(&mut slow, "slow")?;
            execute(&mut admin, "SET SESSION innodb_lock_wait_timeout = 1")?;
            let refused = STORE.set_log_ordering(&mut admin, ordering).unwrap_err();
            assert!(refused.is_retryable());
            assert_eq!(kind_of(refused), DatabaseErrorKind::Locked);
            commit(&mut slow)?;
            STORE.set_log_ordering(&mut admin, ordering)?;
            assert_eq!(STORE.log_ordering(&mut slow)?, ordering);
        }
        assert_eq!(log(&mut admin)?.len(), 2);
    }
    Ok(())
}

/// The one thing that must not come from an old snapshot.
#[test]
fn an_append_in_an_old_snapshot_knows_of_the_change() -> Result {
    let db = Database::migrated()?;
    let (mut old, mut admin) = (db.connect_in("REPEATABLE READ")?, db.connect()?);
    append(&mut admin, "1")?;
    execute(&mut admin, "SET SESSION innodb_lock_wait_timeout = 1")?;
    for ordering in [LogOrdering::Gapless, LogOrdering::Fenced] {
        let events = count(&mut admin, "events")?;
        begin(&mut old)?;
        assert_eq!(count(&mut old, "events")?, events);
        STORE.set_log_ordering(&mut admin, ordering)?;
        assert_ne!(STORE.log_ordering(&mut old)?, ordering, "its snapshot is from before");
        append(&mut old, "old")?;
        append(&mut admin, "new").map(drop).or_else(|error| {
            // Gapless, it waits for the old one.
            assert_eq!((kind_of(error), ordering), (DatabaseErrorKind::Locked, LogOrdering::Gapless));
            Ok::<_, diesel_event_store::Error>(())
        })?;
        assert_eq!(log(&mut admin)?.len(), usize::try_from(events)?);
        commit(&mut old)?;
    }
    assert!(positions(&mut admin)?.is_sorted());
    Ok(())
}

#[test]
fn a_change_in_an_old_snapshot_goes_on_from_what_is_there_now() -> Result {
    let db = Database::migrated()?;
    let (mut admin, mut other) = (db.connect_in("REPEATABLE READ")?, db.connect()?);
    begin(&mut admin)?;
    assert_eq!(count(&mut admin, "events")?, 0);
    append(&mut other, "1")?;
    append(&mut other, "2")?;
    STORE.set_log_ordering(&mut admin, LogOrdering::Gapless)?;
    commit(&mut admin)?;
    append(&mut other, "3")?;
    assert_eq!(positions(&mut other)?, [1, 2, 3]);
    Ok(())
}

/// A new append waits for the change, as the change waits for the old ones.
#[test]
fn an_append_waits_for_a_change_and_follows_it() -> Result {
    let db = Database::migrated()?;
    let (mut admin, mut conn) = (db.connect()?, db.connect()?);
    execute(&mut conn, "SET SESSION innodb_lock_wait_timeout = 1")?;
    append(&mut conn, "1")?;
    begin(&mut admin)?;
    STORE.set_log_ordering(&mut admin, LogOrdering::Gapless)?;
    for _ in 0..2 {
        assert_eq!(kind_of(append(&mut conn, "2").unwrap_err()), DatabaseErrorKind::Locked);
    }
    commit(&mut admin)?;
    append(&mut conn, "2")?;
    assert_eq!(log(&mut conn)?, ["1", "2"]);
    Ok(())
}

#[test]
fn positions_grow_and_nothing_is_missed_while_the_ordering_changes_under_load() -> Result {
    const WRITERS: usize = 6;
    let db = Database::migrated()?;
    let store = EventStore::new();
    let written: usize = thread::scope(|scope| -> Result<usize> {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let db = &db;
                scope.spawn(move || -> Result<usize> {
                    let mut conn = db.connect()?;
                    let stream = StreamId::new("Writer", writer)?;
                    let mut written = 0;
                    for round in 1..=60 {
                        let batch = counted(round % 4 + 1)?;
                        written +=
                            store.append(&mut conn, &stream, ExpectedVersion::Any, &batch)?.events().len();
                    }
                    Ok(written)
                })
            })
            .collect();
        let (mut conn, mut seen, mut scanned_to) = (db.connect()?, Vec::new(), Position::START);
        let mut orderings = [LogOrdering::Gapless, LogOrdering::Fenced].into_iter().cycle();
        loop {
            let is_over = writers.iter().all(|writer| writer.is_finished());
            if !is_over {
                STORE.set_log_ordering(&mut conn, orderings.next().expect("a cycle"))?;
                thread::sleep(Duration::from_millis(5));
            }
            let slice = store.read_forward(&mut conn, scanned_to, 50)?;
            scanned_to = slice.scanned_to();
            let is_end = slice.is_end();
            seen.extend(slice.into_events().iter().map(|event| event.position()));
            if is_over && is_end {
                break;
            }
        }
        assert!(seen.is_sorted());
        let written = writers.into_iter().map(|writer| writer.join().expect("no panic"));
        let written: usize = written.sum::<Result<usize>>()?;
        assert_eq!(seen.len(), written);
        Ok(written)
    })?;
    assert_eq!(count(&mut db.connect()?, "events")?, i64::try_from(written)?);
    Ok(())
}

/// An older state of the table was restored.
#[test]
fn a_change_does_not_go_on_from_where_readers_have_been() -> Result {
    use diesel::connection::SimpleConnection;
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    for name in ["1", "2", "3"] {
        append(&mut conn, name)?;
    }
    let read = STORE.publish_position(&mut conn)?;
    conn.batch_execute(
        "DROP TRIGGER events_refuse_delete; DELETE FROM events WHERE global_position > 1; \
         DELETE FROM aggregate_heads WHERE aggregate_id <> '1'",
    )?;
    STORE.set_log_ordering(&mut conn, LogOrdering::Gapless)?;
    let appended = append(&mut conn, "2")?.last_position();
    assert!(appended > read, "{appended}");
    assert_eq!(STORE.read_forward(&mut conn, read, 10)?.len(), 1);
    Ok(())
}
