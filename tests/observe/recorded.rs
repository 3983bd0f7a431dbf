use std::time::Duration;

use diesel::prelude::*;
use diesel_event_store::sqlite::{Options, Writer};
use diesel_event_store::{Error, EventStore, ExpectedVersion, NewEvent, StreamId, run_pending_migrations};
use metrics::Key;
use metrics_util::debugging::{DebugValue, Snapshotter};
use tempfile::TempDir;
use test_support::counter::{Counted, KeptCounter, count_and_keep, count_once, count_while};
use test_support::execute;

use super::observed::Observed;

const STORE: EventStore = EventStore::new();

#[test]
fn appends_and_writers_are_reported() -> test_support::Result {
    let observed = Observed::alone();
    let traces = &observed.traces;
    let folder = tempfile::tempdir()?;

    append_and_conflict(&mut connect(&folder))?;
    let plain = observed.figures();
    assert_eq!(plain.counter("events.appended"), 2);
    assert_eq!(plain.counter("append.conflicts"), 1);
    let appended = "DEBUG message=events appended stream=Order/1 events=2 version=2".to_owned();
    assert!(traces.take().contains(&appended));

    group_of_three(connect(&folder))?;
    let grouped = observed.figures();
    assert_eq!(grouped.counter("events.appended"), 2);
    assert_eq!(grouped.counter("append.conflicts"), 1);
    assert_eq!(grouped.gauge("writer.queue_depth"), 0.0);
    assert_eq!(grouped.histogram("writer.batch_size"), [1.0, 3.0]);
    let commits = grouped.histogram("writer.commit_seconds");
    assert!(commits.len() == 2 && commits.iter().all(|seconds| (0.0..60.0).contains(seconds)), "{commits:?}");
    let traced = traces.take();
    assert!(
        traced.iter().any(|line| line.starts_with("DEBUG message=append refused by a conflict conflict="))
    );
    assert!(traced.iter().any(|line| line.starts_with("DEBUG message=group committed batch_size=3 commit_")));

    command_decided_again(&folder)?;
    let commands = observed.figures();
    assert_eq!(commands.counter("aggregate.retried"), 1);
    assert_eq!(commands.counter("transaction.run_again"), 2);
    let traced = traces.take();
    let retried = "DEBUG message=command is decided again stream=Counter/c attempt=2".to_owned();
    assert!(traced.contains(&retried), "{traced:?}");
    let again = "DEBUG message=transaction is run again attempt=3".to_owned();
    assert!(traced.contains(&again), "{traced:?}");

    snapshots_in_vain(&folder)?;
    let snapshots = observed.figures();
    assert_eq!(snapshots.counter("snapshot.not_written"), 1);
    assert_eq!(snapshots.counter("snapshot.unreadable"), 1);
    assert_eq!(snapshots.labels("snapshot.unreadable"), ["aggregate_type=KeptCounter"]);
    let traced = traces.take();
    for said in ["snapshot cannot be written", "snapshot cannot be read"] {
        let beginning = format!("WARN message={said} stream=KeptCounter/kept error=");
        assert!(traced.iter().any(|line| line.starts_with(&beginning)), "{traced:?}");
    }

    group_that_fails(&folder)?;
    observed.waits_for("WARN message=group failed batch_size=1 error=", "locked")
}

fn connect(folder: &TempDir) -> SqliteConnection {
    let path = folder.path().join("shop.db").display().to_string();
    let mut conn = SqliteConnection::establish(&path).unwrap();
    Options::default().busy_timeout(Duration::from_millis(50)).apply(&mut conn).unwrap();
    run_pending_migrations(&mut conn).unwrap();
    conn
}

fn placed() -> NewEvent {
    NewEvent::new("Placed", &()).unwrap()
}

fn append_and_conflict(conn: &mut SqliteConnection) -> Result<(), Error> {
    let order = StreamId::new("Order", 1)?;
    STORE.append(conn, &order, ExpectedVersion::NoStream, &[placed(), placed()])?;
    STORE.append(conn, &order, ExpectedVersion::NoStream, &[placed()]).unwrap_err();
    Ok(())
}

/// Two that go well and one that does not, sent while a closure keeps the writer busy.
fn group_of_three(conn: SqliteConnection) -> Result<(), Error> {
    let writer = Writer::new(conn)?;
    let inner = writer.clone();
    let append = move |id, expected| {
        Ok::<_, Error>(inner.append(&StreamId::new("Order", id)?, expected, [placed()]).send())
    };
    let tickets = writer.transaction(move |_| {
        let expected = [ExpectedVersion::Any, ExpectedVersion::NoStream, ExpectedVersion::NoStream];
        [2, 1, 3]
            .into_iter()
            .zip(expected)
            .map(|(id, expected)| append(id, expected))
            .collect::<Result<Vec<_>, _>>()
    });
    let outcomes: Vec<_> = tickets.wait()?.into_iter().map(|ticket| ticket.wait().is_ok()).collect();
    assert_eq!(outcomes, [true, false, true]);
    Ok(())
}

/// A command that is too late once, and a transaction that is twice.
fn command_decided_again(folder: &TempDir) -> Result<(), Error> {
    let (mut conn, mut other, mut is_late) = (connect(folder), connect(folder), true);
    let (_, counted) = count_while(&mut conn, "c", || {
        if std::mem::take(&mut is_late) {
            count_once(&mut other, "c").unwrap();
        }
    });
    assert_eq!(counted?.attempts, 2);
    let mut expected = 3;
    STORE.transaction(&mut conn, |conn| {
        expected -= 1;
        STORE.append(conn, &StreamId::new("Order", 9)?, ExpectedVersion::Exact(expected), &[placed()])?;
        Ok(())
    })
}

/// One that is too large, and one that was changed by hand.
fn snapshots_in_vain(folder: &TempDir) -> test_support::Result {
    let mut conn = connect(folder);
    let small = STORE.max_json_bytes(1).aggregate::<KeptCounter>("kept");
    small.update(&mut conn, |_| Ok::<_, Error>((0..10).map(|_| Counted).collect()))?;
    count_and_keep(&mut conn)?;
    execute(&mut conn, "UPDATE snapshots SET state = '['")?;
    assert_eq!(STORE.aggregate::<KeptCounter>("kept").load(&mut conn)?.state, KeptCounter(11));
    Ok(())
}

fn group_that_fails(folder: &TempDir) -> Result<(), Error> {
    let writer = Writer::new(connect(folder))?;
    connect(folder).immediate_transaction(|_| {
        let refused = writer.append(&StreamId::new("Order", 1)?, ExpectedVersion::Any, [placed()]).wait();
        assert!(refused.unwrap_err().is_retryable());
        Ok(())
    })
}

/// What was recorded since the last time.
pub struct Figures(Vec<(Key, DebugValue)>);

impl Figures {
    pub fn of(snapshotter: &Snapshotter) -> Self {
        let values = snapshotter.snapshot().into_vec().into_iter();
        Self(values.map(|(key, _, _, value)| (key.key().clone(), value)).collect())
    }

    fn find(&self, name: &str) -> &(Key, DebugValue) {
        let full = format!("diesel_event_store.{name}");
        self.0.iter().find(|(key, _)| key.name() == full).expect("it was recorded")
    }

    fn get(&self, name: &str) -> &DebugValue {
        &self.find(name).1
    }

    /// As `name=value`.
    pub fn labels(&self, name: &str) -> Vec<String> {
        self.find(name).0.labels().map(|label| format!("{}={}", label.key(), label.value())).collect()
    }

    pub fn counter(&self, name: &str) -> u64 {
        match self.get(name) {
            DebugValue::Counter(value) => *value,
            other => panic!("{name} is {other:?}"),
        }
    }

    pub fn gauge(&self, name: &str) -> f64 {
        match self.get(name) {
            DebugValue::Gauge(value) => value.0,
            other => panic!("{name} is {other:?}"),
        }
    }

    pub fn histogram(&self, name: &str) -> Vec<f64> {
        match self.get(name) {
            DebugValue::Histogram(values) => values.iter().map(|value| value.0).collect(),
            other => panic!("{name} is {other:?}"),
        }
    }
}
