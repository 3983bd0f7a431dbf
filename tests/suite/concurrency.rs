//! What many connections do at the same moment.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::Connection;
use diesel::result::Error::RollbackTransaction;
use diesel_event_store::{
    AppendError, Appended, EventConnection, EventStore, ExpectedVersion, LogQuery, Position, RecordedEvent,
    StreamId,
};
use test_support::{Result, TestDatabase, at_once, count, counted, user, versions};

tests! {
    one_of_many_that_expect_the_same_version_wins,
    one_of_many_that_create_a_stream_wins,
    any_never_conflicts,
    rollbacks_among_many_writers_leave_no_trace,
    a_reader_that_follows_many_writers_sees_every_event_once,
    of_many_that_save_a_checkpoint_the_furthest_stays,
}

const WRITERS: usize = 6;
const ROUNDS: i64 = 20;

fn connections<D: TestDatabase>(db: &D, number: usize) -> Result<Vec<D::Conn>> {
    (0..number).map(|_| db.connect()).collect()
}

fn one_of_many_that_expect_the_same_version_wins<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conns = connections(&db, WRITERS)?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    for version in 0..ROUNDS {
        let expected = ExpectedVersion::Exact(version);
        let outcomes = at_once(&mut conns, |_, conn| store.append(conn, &alice, expected, &counted(1)?));
        assert_one_winner(outcomes, version + 1)?;
    }
    assert_eq!(versions(&store.read_stream(&mut conns[0], &alice, ..)?), Vec::from_iter(1..=ROUNDS));
    Ok(())
}

fn one_of_many_that_create_a_stream_wins<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conns = connections(&db, WRITERS)?;
    let store = EventStore::new();
    for round in 0..ROUNDS {
        let stream = StreamId::new("Created", round)?;
        let outcomes = at_once(&mut conns, |_, conn| {
            store.append(conn, &stream, ExpectedVersion::NoStream, &counted(2)?)
        });
        assert_one_winner(outcomes, 2)?;
    }
    assert_eq!(count(&mut conns[0], "events")?, 2 * ROUNDS);
    assert_eq!(count(&mut conns[0], "aggregate_heads")?, ROUNDS);
    Ok(())
}

type Outcome = Result<Appended, diesel_event_store::AppendError>;

/// One has taken the stream to that version, and all others know it.
fn assert_one_winner(outcomes: Vec<Outcome>, version: i64) -> Result {
    let mut winners = 0;
    for outcome in outcomes {
        match outcome {
            Ok(appended) => {
                assert_eq!(appended.version(), version);
                winners += 1;
            }
            Err(error) => {
                let conflict = error.conflict().ok_or_else(|| format!("{error:?}"))?;
                assert_eq!(conflict.actual, version);
            }
        }
    }
    assert_eq!(winners, 1);
    Ok(())
}

fn any_never_conflicts<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conns = connections(&db, WRITERS)?;
    let store = EventStore::new();
    let streams = [user("alice")?, user("bob")?, user("carol")?];

    let outcomes = at_once(&mut conns, |writer, conn| -> Result<Vec<RecordedEvent>> {
        let mut recorded = Vec::new();
        for round in 0..ROUNDS {
            let stream = &streams[(writer + usize::try_from(round)?) % streams.len()];
            let batch = counted(round % 3 + 1)?;
            recorded.extend(store.append(conn, stream, ExpectedVersion::Any, &batch)?.into_events());
        }
        Ok(recorded)
    });

    let recorded = outcomes.into_iter().collect::<Result<Vec<_>>>()?.concat();
    assert_log_is(&mut conns[0], recorded)
}

fn rollbacks_among_many_writers_leave_no_trace<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conns = connections(&db, WRITERS)?;
    let store = EventStore::new();
    let streams = [user("alice")?, user("bob")?];

    let outcomes = at_once(&mut conns, |writer, conn| -> Result<Vec<RecordedEvent>> {
        let mut committed = Vec::new();
        for round in 0..ROUNDS {
            let mut appended = Vec::new();
            let outcome = retrying(conn, |conn| {
                appended.clear();
                for stream in &streams {
                    let batch = counted(round % 2 + 1)?;
                    appended.extend(store.append(conn, stream, ExpectedVersion::Any, &batch)?.into_events());
                }
                if usize::try_from(round)? % 3 == writer % 3 {
                    return Err(RollbackTransaction.into());
                }
                Ok(())
            });
            match outcome {
                Ok(()) => committed.extend(appended),
                Err(error) if error.is::<diesel::result::Error>() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(committed)
    });

    let committed = outcomes.into_iter().collect::<Result<Vec<_>>>()?.concat();
    assert_log_is(&mut conns[0], committed)
}

/// The outermost transaction again, as long as the database asks for it.
fn retrying<C: Connection>(conn: &mut C, mut work: impl FnMut(&mut C) -> Result) -> Result {
    loop {
        match conn.transaction(&mut work) {
            Err(error) if error.downcast_ref().is_some_and(AppendError::is_retryable) => {}
            outcome => return outcome,
        }
    }
}

/// The log holds these events and no other, versions have no gap and follow positions, and heads are the last
/// versions.
fn assert_log_is(conn: &mut impl EventConnection, mut recorded: Vec<RecordedEvent>) -> Result {
    let store = EventStore::new();
    recorded.sort_by_key(RecordedEvent::position);
    let log = store.iter_log(conn, LogQuery::after(Position::START)).collect::<Result<Vec<_>, _>>()?;
    assert_eq!(log, recorded);

    let mut last_versions = BTreeMap::new();
    for event in &log {
        let last = last_versions.entry(event.stream().clone()).or_insert(0);
        assert_eq!(event.version(), *last + 1, "{} after position order", event.stream());
        *last = event.version();
    }
    for (stream, last) in &last_versions {
        assert_eq!(store.version(conn, stream)?, *last, "{stream}");
    }
    assert_eq!(count(conn, "aggregate_heads")?, i64::try_from(last_versions.len())?);
    Ok(())
}

fn a_reader_that_follows_many_writers_sees_every_event_once<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conns = connections(&db, WRITERS + 1)?;
    let store = EventStore::new();
    let writing = AtomicUsize::new(WRITERS);

    let outcomes = at_once(&mut conns, |index, conn| {
        if index == WRITERS {
            return follow(conn, &writing);
        }
        let written = write(conn, index);
        writing.fetch_sub(1, Ordering::SeqCst);
        written
    });

    let mut outcomes = outcomes.into_iter().collect::<Result<Vec<_>>>()?;
    let seen = outcomes.pop().expect("the reader is the last");
    assert!(seen.windows(2).all(|pair| pair[0].position() < pair[1].position()));
    let written: HashSet<_> = outcomes.concat().iter().map(RecordedEvent::id).collect();
    assert_eq!(seen.iter().map(RecordedEvent::id).collect::<HashSet<_>>(), written);
    assert_eq!(seen.len(), written.len());
    assert_eq!(seen.last().map(RecordedEvent::position), Some(store.last_position(&mut conns[0])?));
    Ok(())
}

fn write<C: Connection + EventConnection>(conn: &mut C, writer: usize) -> Result<Vec<RecordedEvent>> {
    let (store, own, shared) = (EventStore::new(), StreamId::new("Writer", writer)?, user("everybody")?);
    let mut written = Vec::new();
    for round in 0..ROUNDS {
        let events = conn.transaction(|conn| -> Result<_> {
            let mut events = store.append(conn, &shared, ExpectedVersion::Any, &counted(1)?)?.into_events();
            let batch = counted(round % 3 + 1)?;
            events.extend(store.append(conn, &own, ExpectedVersion::Any, &batch)?.into_events());
            Ok(events)
        })?;
        written.extend(events);
    }
    Ok(written)
}

/// Reads on behind what it has scanned until the writers are done and the end is reached.
fn follow(conn: &mut impl EventConnection, writing: &AtomicUsize) -> Result<Vec<RecordedEvent>> {
    let (store, mut seen, mut scanned_to) = (EventStore::new(), Vec::new(), Position::START);
    loop {
        let writers_are_done = writing.load(Ordering::SeqCst) == 0;
        let slice = store.read_forward(conn, scanned_to, 7)?;
        assert!(slice.scanned_to() >= scanned_to);
        scanned_to = slice.scanned_to();
        let is_end = slice.is_end();
        seen.extend(slice);
        if writers_are_done && is_end {
            return Ok(seen);
        }
    }
}

fn of_many_that_save_a_checkpoint_the_furthest_stays<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conns = connections(&db, WRITERS)?;
    let store = EventStore::new();
    let outcomes = at_once(&mut conns, |writer, conn| -> Result<i64> {
        let mut saved = 0;
        for round in 0..ROUNDS {
            let position = round * 10 + i64::try_from(writer)?;
            match store.save_checkpoint(conn, "projection", Position::new(position)?) {
                Ok(()) => saved = position,
                Err(diesel_event_store::CheckpointError::Backward { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(saved)
    });
    let furthest = outcomes.into_iter().collect::<Result<Vec<_>>>()?.into_iter().max();
    let checkpoint = store.checkpoint(&mut conns[0], "projection")?;
    assert_eq!(checkpoint.map(|checkpoint| checkpoint.position().get()), furthest);
    Ok(())
}
