//! Nested transactions while every node writes. Another node may end a transaction at any moment, and MariaDB
//! does not always say so: the next statements succeed, each on its own. `write_transaction` looks.

use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use diesel::mysql::MysqlConnection;
use test_support::nested_writer::NestedWriter;
use test_support::random::Random;
use test_support::witness::{Entry, Ledger, committed_after, is_lost_connection};
use test_support::{Result, app_rows, create_app_rows};

use super::cluster::{Cluster, follow};

const WRITERS: usize = 8;
/// Of each writer, and so many more as there is time to soak.
const TRANSACTIONS: usize = 150;

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
                book.lock().expect("no panic with it").merge(writer.writer.ledger);
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
    node: usize,
    until: Instant,
    conn: MysqlConnection,
    writer: NestedWriter,
}

impl<'c> Writer<'c> {
    fn new(cluster: &'c Cluster, number: usize, seed: u64, until: Instant) -> Result<Self> {
        let node = number % cluster.nodes();
        let conn = cluster.connect(node)?;
        Ok(Self { cluster, node, until, conn, writer: NestedWriter::new(number, Random::from_seed(seed)) })
    }

    fn work(&mut self, again: &AtomicUsize) {
        let mut transactions = 0;
        while transactions < TRANSACTIONS || Instant::now() < self.until {
            transactions += 1;
            if let Err(error) = self.writer.transaction(&mut self.conn) {
                assert!(error.is_retryable(), "{error:?}");
                again.fetch_add(1, Ordering::SeqCst);
                if is_lost_connection(&error) {
                    self.conn = self.cluster.connect(self.node).expect("a connection");
                }
            }
        }
    }
}
