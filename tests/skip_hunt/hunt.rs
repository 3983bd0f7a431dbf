use std::env;
use std::fmt;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use diesel::Connection;
use diesel::connection::TransactionManager;
use diesel_event_store::{EventConnection, EventStore, LogOrdering, Position};
use test_support::random::Random;
use test_support::witness::{Entry, Ledger, Versions, committed_after};
use test_support::{self, TestDatabase, at_once};

use super::follower::{Following, MOST_STANDSTILLS};
use super::naive::Naive;
use super::reader::{Reader, STYLES};
use super::session::Sessions;
use super::writer::{Writer, linger};

pub const STORE: EventStore = EventStore::new();
pub const OWN: &str = "Own";
pub const SHARED: &str = "Shared";
pub const SHARED_AGGREGATES: u64 = 3;
pub const EVENT_TYPES: [&str; 3] = ["Placed", "Paid", "Shipped"];

pub const WRITERS: usize = 16;
/// Of each writer, between two quiet moments.
const TRANSACTIONS: usize = 40;
/// So many events at least, and so many missed by the naive reader.
const FEWEST_EVENTS: usize = 3_000;
const FEWEST_MISSED: usize = 50;
const MOST_ROUNDS: usize = 100;

/// One hunt at a time: each needs the machine for itself.
pub static TURN: Mutex<()> = Mutex::new(());

/// What differs from database to database.
#[derive(Clone, Copy)]
pub struct Hunt {
    pub name: &'static str,
    pub ordering: LogOrdering,
    /// A transaction that writes anything keeps all others from writing.
    pub one_writer: bool,
    /// Whether writers pause in their transactions, so that more of them are open at the same time; without,
    /// more of them end at the same time.
    pub pauses: bool,
    /// What is changed in the database before the hunt.
    pub changes: &'static [&'static str],
}

impl Hunt {
    pub const fn fenced(name: &'static str) -> Self {
        Self { name, ordering: LogOrdering::Fenced, one_writer: false, pauses: true, changes: &[] }
    }

    pub const fn gapless(name: &'static str) -> Self {
        Self { ordering: LogOrdering::Gapless, ..Self::fenced(name) }
    }

    /// A new database that gives out positions in this ordering.
    pub fn database<D: TestDatabase>(&self) -> test_support::Result<D> {
        let database = D::migrated()?;
        let mut conn = database.connect()?;
        STORE.set_log_ordering(&mut conn, self.ordering)?;
        for change in self.changes {
            test_support::execute(&mut conn, change)?;
        }
        Ok(database)
    }

    /// They do so for the one write lock or for a counter. Then positions become visible in their order, and
    /// the naive reader is right.
    fn writers_queue(&self) -> bool {
        self.ordering == LogOrdering::Gapless
    }

    pub fn longest_pause(&self) -> Duration {
        Duration::from_millis(match self.writers_queue() {
            _ if !self.pauses => 0,
            true => 3,
            false => 20,
        })
    }

    /// How long a transaction stays open that has appended.
    pub fn lingering(&self) -> Duration {
        Duration::from_millis(if self.writers_queue() { 200 } else { 2_000 })
    }
}

/// In rounds: everybody appends at once; then, at a quiet moment, the readers must reach the end and have
/// seen everything.
pub fn hunt<D>(hunt: &Hunt) -> test_support::Result
where
    D: TestDatabase<Conn: Send>,
{
    let _turn = TURN.lock();
    let database = &hunt.database::<D>()?;
    let soak = Duration::from_secs(env::var("SOAK").map_or(Ok(0), |seconds| seconds.parse())?);
    let began = Instant::now();
    let mut random = Random::for_test(hunt.name);
    let mut conn = database.connect()?;
    test_support::create_app_rows(&mut conn)?;
    let sessions = Sessions::new(database, WRITERS + STYLES.len());
    let mut writers = (0..WRITERS)
        .map(|place| Writer::new(hunt, database, &sessions, place, Random::from_seed(random.draw())))
        .collect::<test_support::Result<Vec<_>>>()?;
    let unrelated = begin_unrelated(hunt, database)?;
    let (mut versions, mut end) = (Versions::default(), 0);
    let mut figures = Figures::default();

    let readers = thread::scope(|scope| -> test_support::Result<_> {
        let mut readers = Vec::new();
        for (index, style) in STYLES.into_iter().enumerate() {
            let reader = Reader::new(database, &sessions, WRITERS + index, style)?;
            readers.push(Following::start(scope, reader));
        }
        let naive = Following::start(scope, Naive::new(database.connect()?));

        loop {
            let ledger = round(hunt, database, &sessions, &mut writers, &mut random, &mut figures)?;

            let committed: Arc<[Entry]> = committed_after(&mut conn, end)?.into();
            end = committed.last().ok_or("nothing was appended")?.position;
            ledger.assert_kept_in(&committed);
            versions.assert_continued_by(&committed);
            assert_whole_log_can_be_read(&mut database.connect()?, end)?;
            readers.iter().for_each(|reader| reader.tell(&committed));
            naive.tell(&committed);
            for reader in &readers {
                figures.standstills = figures.standstills.max(reader.report()?.standstills);
            }
            figures.missed += naive.report()?.missed;
            figures.events += committed.len();
            figures.rounds += 1;

            let sharp = hunt.writers_queue() || figures.missed >= FEWEST_MISSED;
            if sharp && figures.events >= FEWEST_EVENTS && began.elapsed() >= soak {
                break;
            }
            assert!(!soak.is_zero() || figures.rounds < MOST_ROUNDS, "not sharp enough: {figures}");
        }
        naive.finish()?;
        readers.into_iter().map(Following::finish).collect::<test_support::Result<Vec<_>>>()
    })?;
    end_unrelated::<D>(unrelated)?;

    figures.reads = readers.iter().map(|reader| reader.reads).sum();
    figures.lost_by_readers = readers.iter().map(|reader| reader.lost_connections).sum();
    figures.killed_before_commit = writers.iter().map(|writer| writer.killed_before_commit).sum();
    figures.retries = writers.iter().map(|writer| writer.retries).sum();
    eprintln!("{}: {figures}, in {:.0?}", hunt.name, began.elapsed());
    if hunt.writers_queue() {
        assert_eq!(figures.missed, 0, "positions did not become visible in their order");
    }
    Ok(())
}

/// All writers and whoever disturbs them, until they are done and nothing of theirs is left.
pub fn round<D>(
    hunt: &Hunt,
    database: &D,
    sessions: &Sessions<'_, D>,
    writers: &mut [Writer<'_, D>],
    random: &mut Random,
    figures: &mut Figures,
) -> test_support::Result<Ledger>
where
    D: TestDatabase<Conn: Send>,
{
    let roll_back = random.below(4) == 0;
    let mut kills = Random::from_seed(random.draw());
    let mut ledger = Ledger::default();
    thread::scope(|scope| -> test_support::Result {
        let (working, done) = mpsc::channel::<()>();
        let killer = scope.spawn(move || -> test_support::Result<usize> {
            let mut killed = 0;
            while done.recv_timeout(Duration::from_millis(20 + kills.below(100)))
                == Err(RecvTimeoutError::Timeout)
            {
                let place = kills.below(sessions.len() as u64) as usize;
                killed += usize::from(sessions.kill(place)?);
            }
            Ok(killed)
        });
        let ledger = &mut ledger;
        let lingering = scope.spawn(move || linger(hunt, database, roll_back, ledger));
        let worked = at_once(writers, |_, writer| writer.work(TRANSACTIONS));
        lingering.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        drop(working);
        figures.killed += killer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        worked.into_iter().collect()
    })?;
    for writer in writers {
        ledger.merge(std::mem::take(&mut writer.ledger));
    }
    figures.unclear += ledger.unclear_transactions();
    Ok(ledger)
}

/// A connection that has never read before reaches the end, too.
fn assert_whole_log_can_be_read<C: EventConnection>(conn: &mut C, end: i64) -> test_support::Result {
    let reached = (0..MOST_STANDSTILLS).any(|_| {
        thread::sleep(Duration::from_millis(1));
        STORE.last_position(conn).is_ok_and(|position| position.get() == end)
    });
    assert!(reached, "the last position is not {end} but {:?}", STORE.last_position(conn));
    let newest = STORE.read_backward(conn, Position::new(i64::MAX)?, 1)?;
    assert_eq!(newest.events()[0].position().get(), end);
    Ok(())
}

/// A transaction of another part of the application. Where there is one writer, it can only read.
fn begin_unrelated<D: TestDatabase>(hunt: &Hunt, database: &D) -> test_support::Result<D::Conn> {
    let mut conn = database.connect()?;
    <D::Conn as Connection>::TransactionManager::begin_transaction(&mut conn)?;
    test_support::app_rows(&mut conn)?;
    if !hunt.one_writer {
        test_support::insert_app_row(&mut conn, "unrelated")?;
    }
    Ok(conn)
}

fn end_unrelated<D: TestDatabase>(mut conn: D::Conn) -> test_support::Result {
    Ok(<D::Conn as Connection>::TransactionManager::commit_transaction(&mut conn)?)
}

#[derive(Default)]
pub struct Figures {
    rounds: usize,
    events: usize,
    missed: usize,
    reads: usize,
    killed: usize,
    killed_before_commit: usize,
    lost_by_readers: usize,
    unclear: usize,
    retries: usize,
    standstills: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = 100.0 * self.missed as f64 / self.events.max(1) as f64;
        write!(
            f,
            "{} events in {} rounds, {} ({percent:.1} %) missed by the naive reader, none by {} others in {} reads; \
             connections killed: {} at random ({} of them noticed by readers), {} between append and commit; \
             {} transactions unclear, {} retried; at most {} standstills of a reader at a quiet moment",
            self.events,
            self.rounds,
            self.missed,
            STYLES.len(),
            self.reads,
            self.killed,
            self.lost_by_readers,
            self.killed_before_commit,
            self.unclear,
            self.retries,
            self.standstills,
        )
    }
}
