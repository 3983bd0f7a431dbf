//! Nested transactions while every node writes. Another node may end a transaction at any moment, and MariaDB
//! does not always say so: the next statements succeed, each on its own. `write_transaction` looks.

use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use diesel::mysql::MysqlConnection;
use diesel::result::Error::RollbackTransaction;
use diesel_event_store::{Error, ExpectedVersion, NewEvent, RecordedEvent, StreamId, write_transaction};
use test_support::random::Random;
use test_support::witness::{Entry, Ledger, committed_after, ids_of, ids_of_new, is_lost_connection};
use test_support::{Result, app_rows, create_app_rows, insert_app_row};

use super::cluster::{Cluster, STORE, follow};

const WRITERS: usize = 8;
/// Of each writer, and so many more as there is time to soak.
const TRANSACTIONS: usize = 40;
const SHARED_AGGREGATES: u64 = 3;

#[test]
fn readers_on_every_node_see_every_event_once_when_every_node_writes_in_nested_transactions() -> Result {
    let cluster = Cluster::migrated()?;
    create_app_rows(&mut cluster.connect(0)?)?;
    let mut random = Random::for_test("nested transactions on Galera");
    let until =
        Instant::now() + Duration::from_secs(env::var("SOAK").map_or(Ok(0), |seconds| seconds.parse())?);
    let (book, again, writing) =
        (Mutex::new(Ledger::default()), AtomicUsize::new(0), AtomicUsize::new(WRITERS));
    let seen = thread::scope(|scope| -> Result<_> {
        let readers: Vec<_> = (0..cluster.nodes())
            .map(|node| {
                let (cluster, writing) = (&cluster, &writing);
                scope.spawn(move || follow(cluster, node, writing))
            })
            .collect();
        for number in 0..WRITERS {
            let (cluster, book, again, writing) = (&cluster, &book, &again, &writing);
            let seed = random.draw();
            scope.spawn(move || {
                let mut writer = Writer::new(cluster, number, seed, until).expect("a connection");
                writer.work(again);
                book.lock().expect("no panic with it").merge(writer.ledger);
                writing.fetch_sub(1, Ordering::SeqCst);
            });
        }
        readers.into_iter().map(|reader| reader.join().expect("no panic")).collect::<Result<Vec<_>>>()
    })?;

    let mut conn = cluster.connect(0)?;
    let log = committed_after(&mut conn, 0)?;
    book.into_inner().expect("no panic with it").assert_kept_in(&log);
    for seen in &seen {
        assert!(seen.iter().map(Entry::from).eq(log.iter().cloned()));
    }
    let rows = app_rows(&mut conn)?;
    let mut ids: Vec<_> = log.into_iter().map(|event| event.event_id).collect();
    ids.sort();
    assert!(rows == ids, "{} rows for {} events", rows.len(), ids.len());
    println!("{} events, {again:?} times again", ids.len());
    Ok(())
}

struct Writer<'c> {
    cluster: &'c Cluster,
    number: usize,
    until: Instant,
    conn: MysqlConnection,
    random: Random,
    ledger: Ledger,
}

impl<'c> Writer<'c> {
    fn new(cluster: &'c Cluster, number: usize, seed: u64, until: Instant) -> Result<Self> {
        let conn = cluster.connect(number % cluster.nodes())?;
        Ok(Self { cluster, number, until, conn, random: Random::from_seed(seed), ledger: Ledger::default() })
    }

    fn work(&mut self, again: &AtomicUsize) {
        let mut transactions = 0;
        while transactions < TRANSACTIONS || Instant::now() < self.until {
            transactions += 1;
            if let Err(error) = self.transaction() {
                assert!(error.is_retryable(), "{error:?}");
                again.fetch_add(1, Ordering::SeqCst);
                if is_lost_connection(&error) {
                    self.conn =
                        self.cluster.connect(self.number % self.cluster.nodes()).expect("a connection");
                }
            }
        }
    }

    /// An error that leaves open whether it was committed is taken for one; any other is believed.
    fn transaction(&mut self) -> Result<(), Error> {
        let Self { number, conn, random, ledger, .. } = self;
        let (mut kept, mut is_at_its_end) = (Vec::new(), false);
        let outcome = write_transaction(conn, |conn| {
            for _ in 0..=random.below(3) {
                step(conn, *number, random, ledger, &mut kept)?;
                thread::sleep(Duration::from_micros(random.below(3_000)));
            }
            is_at_its_end = true;
            Ok(())
        });
        match &outcome {
            Ok(()) => ledger.committed(&kept),
            Err(error) if is_at_its_end && is_lost_connection(error) => ledger.unclear(ids_of(&kept)),
            Err(_) => ledger.withdrawn(ids_of(&kept)),
        }
        outcome
    }
}

/// An append, alone or in a nested transaction, which may be rolled back.
fn step(
    conn: &mut MysqlConnection,
    writer: usize,
    random: &mut Random,
    ledger: &mut Ledger,
    kept: &mut Vec<RecordedEvent>,
) -> Result<(), Error> {
    match random.below(4) {
        0 => kept.extend(append_with_rows(conn, writer, random, ledger)?),
        1..=2 => kept.extend(write_transaction(conn, |conn| append_with_rows(conn, writer, random, ledger))?),
        _ => {
            let undone = write_transaction(conn, |conn| {
                let appended = append_with_rows(conn, writer, random, ledger)?;
                ledger.withdrawn(ids_of(&appended));
                Err::<(), _>(Error::from(RollbackTransaction))
            });
            match undone {
                Err(Error::Database(error)) if *error.diesel_error() == RollbackTransaction => {}
                other => other?,
            }
        }
    }
    Ok(())
}

/// Events, and a row for each by its id.
fn append_with_rows(
    conn: &mut MysqlConnection,
    writer: usize,
    random: &mut Random,
    ledger: &mut Ledger,
) -> Result<Vec<RecordedEvent>, Error> {
    let stream = match random.below(2) {
        0 => StreamId::new("Own", writer)?,
        _ => StreamId::new("Shared", random.below(SHARED_AGGREGATES))?,
    };
    let events =
        (0..=random.below(2)).map(|_| NewEvent::new("Counted", &writer)).collect::<Result<Vec<_>, _>>()?;
    let appended = rows_and_events(conn, &stream, &events);
    if appended.is_err() {
        ledger.withdrawn(ids_of_new(&events));
    }
    appended
}

fn rows_and_events(
    conn: &mut MysqlConnection,
    stream: &StreamId,
    events: &[NewEvent],
) -> Result<Vec<RecordedEvent>, Error> {
    for id in ids_of_new(events) {
        insert_app_row(conn, &id)?;
    }
    Ok(STORE.append(conn, stream, ExpectedVersion::Any, events)?.into_events())
}
