//! What goes on when the server is killed.

use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::Connection;
use diesel_event_store::{
    Error, EventConnection, EventStore, ExpectedVersion, LogQuery, NewEvent, Position, RecordedEvent,
    StreamId,
};
use test_support::random::Random;
use test_support::witness::{Entry, Ledger, ids_of_new, is_lost_connection};

pub const STORE: EventStore = EventStore::new();
const SHARED_AGGREGATES: u64 = 5;

/// A client that may be connected to a server of this kind, and to the next after that is killed.
pub trait Client: Connection + EventConnection + Send {}
impl<C: Connection + EventConnection + Send> Client for C {}

/// Appends as fast as it can, and keeps book of it.
pub struct Writer {
    random: Random,
    own: StreamId,
    pub ledger: Ledger,
}

impl Writer {
    pub fn new(number: usize, random: Random) -> test_support::Result<Self> {
        Ok(Self { random, own: StreamId::new("Own", number)?, ledger: Ledger::default() })
    }

    /// Until the connection is lost.
    pub fn work(&mut self, mut conn: impl Client, acknowledged: &AtomicUsize) -> test_support::Result {
        loop {
            match self.transaction(&mut conn) {
                Ok(()) => {
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) if is_lost_connection(&error) => return Ok(()),
                Err(error) if error.is_retryable() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn transaction<C: Client>(&mut self, conn: &mut C) -> Result<(), Error> {
        // Only the first to an aggregate that others append to: there are no deadlocks to wait for.
        let batches: Vec<_> = (0..=self.random.below(3)).map(|nth| self.batch(nth == 0)).collect();
        let appended = match &batches[..] {
            [batch] => append(conn, batch),
            batches => conn.transaction(|conn| {
                let appended = batches.iter().map(|batch| append(conn, batch));
                Ok(appended.collect::<Result<Vec<_>, _>>()?.concat())
            }),
        };
        let ids = || batches.iter().flat_map(|batch| ids_of_new(&batch.events));
        match &appended {
            Ok(events) => self.ledger.committed(events),
            Err(error) if is_lost_connection(error) => self.ledger.unclear(ids()),
            Err(_) => self.ledger.withdrawn(ids()),
        }
        appended.map(drop)
    }

    fn batch(&mut self, may_share: bool) -> Batch {
        let stream = match self.random.below(3) {
            0 if may_share => StreamId::new("Shared", self.random.below(SHARED_AGGREGATES)),
            _ => Ok(self.own.clone()),
        };
        let stream = stream.expect("a number is a name");
        let payload = "x".repeat(self.random.below(3_000) as usize);
        let events = (0..=self.random.below(5))
            .map(|_| NewEvent::new("Written", &payload).expect("a text is JSON"))
            .collect();
        Batch { stream, events }
    }
}

struct Batch {
    stream: StreamId,
    events: Vec<NewEvent>,
}

fn append<C: Client>(conn: &mut C, batch: &Batch) -> Result<Vec<RecordedEvent>, Error> {
    Ok(STORE.append(conn, &batch.stream, ExpectedVersion::Any, &batch.events)?.into_events())
}

/// Follows the log, and remembers where it was when the server was killed.
pub struct Reader {
    page: usize,
    scanned_to: Position,
    pub seen: Vec<Entry>,
}

impl Reader {
    pub fn new(page: usize) -> Self {
        Self { page, scanned_to: Position::START, seen: Vec::new() }
    }

    /// Until the connection is lost.
    pub fn follow(&mut self, mut conn: impl Client) -> test_support::Result {
        loop {
            match self.read(&mut conn) {
                Ok(()) => {}
                Err(error) if is_lost_connection(&error) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub fn read_to<C: Client>(&mut self, conn: &mut C, end: i64) -> test_support::Result {
        const MOST_STANDSTILLS: usize = 1000;
        let mut standstills = 0;
        while self.scanned_to.get() < end {
            let before = self.scanned_to;
            self.read(conn)?;
            standstills += usize::from(self.scanned_to == before);
            assert!(standstills < MOST_STANDSTILLS, "stands at {before}, before {end}");
        }
        assert_eq!(self.scanned_to.get(), end);
        Ok(())
    }

    fn read<C: Client>(&mut self, conn: &mut C) -> Result<(), Error> {
        let slice = STORE.read_log(conn, &LogQuery::after(self.scanned_to), self.page)?;
        self.seen.extend(slice.events().iter().map(Entry::from));
        self.scanned_to = slice.scanned_to();
        Ok(())
    }
}
