use std::env;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::thread;

use diesel_event_store::{EventStore, run_pending_migrations};
use test_support::nested_writer::NestedWriter;
use test_support::random::Random;
use test_support::witness::{Entry, Ledger, Versions, committed_after, is_lost_connection};
use test_support::{Result, advances_until, app_rows};

use super::cluster::{Cluster, PAUSE, create_app_rows};
use super::reader::Reader;

const WRITERS: usize = 8;
const KILLS: usize = 2;
/// So many are acknowledged before a node is killed, up to so many more, and as many again before it is
/// started again.
const TRANSACTIONS: usize = 50;
const MORE_TRANSACTIONS: u64 = 200;

/// What the writers and the one who kills know of each other.
#[derive(Default)]
struct Load {
    acknowledged: AtomicUsize,
    is_over: AtomicBool,
}

/// Writers with nested transactions and rows of their own, and a reader that begins at each node.
pub fn hunt(cluster: Cluster) -> Result {
    let kills = env::var("KILLS").map_or(Ok(KILLS), |kills| kills.parse())?;
    let mut random = Random::for_test("failover");
    let (_, mut conn) = cluster.connect_to_write(0);
    run_pending_migrations(&mut conn)?;
    create_app_rows(&mut conn)?;
    let (load, end, are_read) = (Load::default(), AtomicI64::new(i64::MAX), AtomicBool::new(false));
    let (ledger, readers) = thread::scope(|scope| -> Result<_> {
        let readers: Vec<_> = (0..cluster.nodes())
            .map(|node| (node, &cluster, &end))
            .map(|(node, cluster, end)| scope.spawn(move || Reader::default().follow(cluster, node, end)))
            .collect();
        scope.spawn(|| publish(&cluster, &are_read));
        let ledger = write_and_kill(&cluster, &load, &mut random, kills);
        let table = committed_after(&mut cluster.connect_to_write(0).1, 0)?;
        end.store(table.last().map_or(0, |entry| entry.position), Ordering::SeqCst);
        let readers =
            readers.into_iter().map(|reader| reader.join().expect("no panic")).collect::<Result<Vec<_>>>();
        are_read.store(true, Ordering::SeqCst);
        Ok((ledger?, readers?))
    })?;

    let (_, mut conn) = cluster.connect_to_write(0);
    let table = committed_after(&mut conn, 0)?;
    ledger.assert_kept_in(&table);
    Versions::default().assert_continued_by(&table);
    for reader in &readers {
        assert!(reader.seen == table, "a reader has missed events, or has seen some twice");
    }
    assert_rows_are_those_of(&table, app_rows(&mut conn)?);
    let unclear = ledger.unclear_transactions();
    eprintln!("{kills} kills, {} events, {unclear} transactions of unclear outcome", table.len());
    Ok(())
}

fn write_and_kill(cluster: &Cluster, load: &Load, random: &mut Random, kills: usize) -> Result<Ledger> {
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| (number, Random::from_seed(random.draw())))
            .map(|(number, random)| scope.spawn(move || write(cluster, load, number, random)))
            .collect();
        let killed = (0..kills).try_for_each(|_| kill_one(cluster, load, random));
        load.is_over.store(true, Ordering::SeqCst);
        let mut ledger = Ledger::default();
        for writer in writers {
            ledger.merge(writer.join().expect("no panic"));
        }
        killed.map(|()| ledger)
    })
}

/// One that takes writes: the primary, where there is only one.
fn kill_one(cluster: &Cluster, load: &Load, random: &mut Random) -> Result {
    load.advance(random)?;
    let (node, _) = cluster.connect_to_write(random.below(cluster.nodes() as u64) as usize);
    cluster.kill(node)?;
    let goes_on = load.advance(random);
    cluster.restart(node)?;
    goes_on
}

impl Load {
    fn advance(&self, random: &mut Random) -> Result {
        let acknowledged = || self.acknowledged.load(Ordering::SeqCst);
        let enough = acknowledged() + TRANSACTIONS + random.below(MORE_TRANSACTIONS) as usize;
        advances_until("enough acknowledged transactions", || Ok(acknowledged()), |now| *now >= enough)
    }
}

fn write(cluster: &Cluster, load: &Load, number: usize, random: Random) -> Ledger {
    let mut writer = NestedWriter::new(number, random);
    let (mut node, mut conn) = cluster.connect_to_write(number);
    while !load.is_over.load(Ordering::SeqCst) {
        match writer.transaction(&mut conn) {
            Ok(()) => _ = load.acknowledged.fetch_add(1, Ordering::SeqCst),
            Err(error) if is_lost_connection(&error) => (node, conn) = cluster.connect_to_write(node),
            Err(error) => assert!(error.is_retryable(), "{error:?}"),
        }
    }
    writer.ledger
}

/// For the readers of nodes that are replicas.
fn publish(cluster: &Cluster, are_read: &AtomicBool) {
    let (mut node, mut conn) = cluster.connect_to_write(0);
    while !are_read.load(Ordering::SeqCst) {
        match EventStore::new().publish_position(&mut conn) {
            Ok(_) => thread::sleep(PAUSE),
            Err(_) => (node, conn) = cluster.connect_to_write(node),
        }
    }
}

fn assert_rows_are_those_of(table: &[Entry], rows: Vec<String>) {
    let mut ids: Vec<_> = table.iter().map(|event| event.event_id.clone()).collect();
    ids.sort();
    assert!(rows == ids, "{} rows for {} events", rows.len(), ids.len());
}
