//! What holds when events are appended on one node and on several.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use diesel::Connection;
use diesel::prelude::*;
use diesel_event_store::{
    AppendError, DatabaseErrorKind, Error, ExpectedVersion, LogOrdering, RecordedEvent, StreamId,
};
use test_support::{Result, app_rows, at_once, counted, create_app_rows, insert_app_row, user};

use super::cluster::{Cluster, STORE, follow, positions, retrying};

const ROUNDS: i64 = 30;

#[test]
fn a_new_database_counts_its_positions_in_a_row() -> Result {
    let cluster = Cluster::migrated()?;
    for node in 0..cluster.nodes() {
        assert_eq!(STORE.log_ordering(&mut cluster.connect(node)?)?, LogOrdering::Gapless);
    }
    Ok(())
}

#[test]
fn what_one_node_has_committed_the_others_read() -> Result {
    let cluster = Cluster::migrated()?;
    let mut conns = cluster.connections()?;
    let alice = user("alice")?;
    for version in 0..9 {
        let (writer, events) = (usize::try_from(version)? % conns.len(), counted(2)?);
        let expected = ExpectedVersion::Exact(2 * version);
        let appended = STORE.append(&mut conns[writer], &alice, expected, &events)?;
        for conn in &mut conns {
            assert_eq!(STORE.version(conn, &alice)?, appended.version());
            assert_eq!(STORE.last_position(conn)?, appended.last_position());
            let read = STORE.read_stream(conn, &alice, appended.previous_version() + 1..)?;
            assert_eq!(read.events(), appended.events());
        }
    }
    assert_eq!(positions(&mut conns[0])?, Vec::from_iter(1..=18));
    Ok(())
}

/// To a stream that all share, and to one that each has alone, while a reader follows on every node.
#[test]
fn readers_on_every_node_see_every_event_once_when_one_node_writes() -> Result {
    let (cluster, written) = write_and_follow(1)?;
    let counted = Vec::from_iter(1..=i64::try_from(written.len())?);
    assert_eq!(positions(&mut cluster.connect(0)?)?, counted);
    Ok(())
}

#[test]
fn readers_on_every_node_see_every_event_once_when_every_node_writes() -> Result {
    write_and_follow(3).map(drop)
}

/// Two writers on each of so many nodes, and a reader on every node.
fn write_and_follow(writing_nodes: usize) -> Result<(Cluster, Vec<RecordedEvent>)> {
    let cluster = Cluster::migrated()?;
    let (again, writing) = (AtomicUsize::new(0), AtomicUsize::new(writing_nodes * 2));
    let (written, seen) = thread::scope(|scope| -> Result<_> {
        let writers: Vec<_> = (0..writing_nodes * 2)
            .map(|writer| {
                let (cluster, again, writing) = (&cluster, &again, &writing);
                scope.spawn(move || {
                    let written = write(cluster, writer, writing_nodes, again);
                    writing.fetch_sub(1, Ordering::SeqCst);
                    written
                })
            })
            .collect();
        let readers: Vec<_> = (0..cluster.nodes())
            .map(|node| {
                let (cluster, writing) = (&cluster, &writing);
                scope.spawn(move || follow(cluster, node, writing))
            })
            .collect();
        let written: Vec<_> =
            writers.into_iter().map(|writer| writer.join().expect("no panic")).collect::<Result<_>>()?;
        let seen: Vec<_> =
            readers.into_iter().map(|reader| reader.join().expect("no panic")).collect::<Result<_>>()?;
        Ok((written, seen))
    })?;

    let mut written = written.concat();
    written.sort_by_key(RecordedEvent::position);
    for seen in &seen {
        assert!(*seen == written, "{writing_nodes} nodes write");
    }
    assert_versions_follow_positions(&mut cluster.connect(0)?, &written)?;
    println!("{writing_nodes} nodes write: {} events, {again:?} times again", written.len());
    Ok((cluster, written))
}

fn write(
    cluster: &Cluster,
    writer: usize,
    writing_nodes: usize,
    again: &AtomicUsize,
) -> Result<Vec<RecordedEvent>> {
    let mut conn = cluster.connect(writer % writing_nodes)?;
    let (own, shared) = (StreamId::new("Writer", writer)?, user("everybody")?);
    let mut written = Vec::new();
    for round in 0..ROUNDS {
        let (alone, one) = (counted(round % 3 + 1)?, counted(1)?);
        let appended = retrying(again, || STORE.append(&mut conn, &own, ExpectedVersion::Any, &alone))?;
        written.extend(appended.into_events());
        let events = retrying(again, || {
            conn.transaction::<_, Error, _>(|conn| {
                let mut events = STORE.append(conn, &shared, ExpectedVersion::Any, &one)?.into_events();
                let last = STORE.append(conn, &own, ExpectedVersion::StreamExists, &counted(1)?)?;
                events.extend(last.into_events());
                Ok(events)
            })
        })?;
        written.extend(events);
    }
    Ok(written)
}

fn assert_versions_follow_positions(conn: &mut MysqlConnection, log: &[RecordedEvent]) -> Result {
    let mut last_versions = BTreeMap::new();
    for event in log {
        let last = last_versions.entry(event.stream()).or_insert(0);
        assert_eq!(event.version(), *last + 1, "{}", event.stream());
        *last = event.version();
    }
    for (stream, last) in last_versions {
        assert_eq!(STORE.version(conn, stream)?, last);
    }
    Ok(())
}

/// The cluster finds out at the commit that two nodes have moved the same head.
#[test]
fn one_of_many_nodes_that_expect_the_same_version_wins() -> Result {
    let cluster = Cluster::migrated()?;
    let (mut conns, alice, again) = (cluster.connections()?, user("alice")?, AtomicUsize::new(0));
    for version in 0..20 {
        let expected = ExpectedVersion::Exact(version);
        let outcomes = at_once(&mut conns, |_, conn| {
            let batch = counted(1)?;
            retrying(&again, || STORE.append(conn, &alice, expected, &batch))
        });
        let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(winners, 1);
        for error in outcomes.into_iter().filter_map(Result::err) {
            assert_eq!(error.conflict().map(|conflict| conflict.actual), Some(version + 1), "{error:?}");
        }
    }
    assert_eq!(STORE.version(&mut conns[0], &alice)?, 20);
    Ok(())
}

/// Also to different aggregates: positions are one row.
#[test]
fn of_two_transactions_on_two_nodes_the_second_to_commit_is_run_again() -> Result {
    let cluster = Cluster::migrated()?;
    let (mut first, mut second) = (cluster.connect(0)?, cluster.connect(1)?);
    create_app_rows(&mut first)?;
    let mut attempts = 0;
    loop {
        attempts += 1;
        let outcome = second.transaction::<_, Error, _>(|second| {
            insert_app_row(second, "second")?;
            STORE.append(second, &user("second")?, ExpectedVersion::Any, &counted(1)?)?;
            if attempts == 1 {
                STORE.append(&mut first, &user("first")?, ExpectedVersion::Any, &counted(1)?)?;
            }
            Ok(())
        });
        match outcome {
            Ok(()) => break,
            Err(Error::Database(error)) => assert_eq!(error.kind(), DatabaseErrorKind::Deadlock),
            Err(Error::Append(AppendError::Database(error))) => {
                assert_eq!(error.kind(), DatabaseErrorKind::Deadlock);
            }
            Err(error) => return Err(error.into()),
        }
    }
    assert_eq!(attempts, 2);
    assert_eq!(app_rows(&mut first)?, ["second"]);
    assert_eq!(positions(&mut first)?, [1, 2]);
    Ok(())
}

/// Without waiting for the others, a node shows what it has applied: not everything, but nothing after a
/// hole.
#[test]
fn a_node_that_does_not_wait_shows_a_beginning_of_the_log() -> Result {
    let cluster = Cluster::migrated()?;
    let (mut writer, mut reader) = (cluster.connect(0)?, cluster.connect(1)?);
    diesel::sql_query("SET SESSION wsrep_sync_wait = 0").execute(&mut reader)?;
    for round in 1..=200 {
        STORE.append(&mut writer, &user("alice")?, ExpectedVersion::Any, &counted(1)?)?;
        let seen = positions(&mut reader)?;
        assert_eq!(seen, Vec::from_iter(1..=i64::try_from(seen.len())?));
        assert!(seen.len() <= round);
    }
    diesel::sql_query("SET SESSION wsrep_sync_wait = 1").execute(&mut reader)?;
    assert_eq!(positions(&mut reader)?.len(), 200);
    Ok(())
}
