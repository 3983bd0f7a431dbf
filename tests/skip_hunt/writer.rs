use std::thread;
use std::time::Duration;

use diesel::Connection;
use diesel::connection::TransactionManager;
use diesel_event_store::{Appended, Error, ExpectedVersion, NewEvent, RecordedEvent, StreamId};
use test_support::random::Random;
use test_support::witness::{Ledger, ids_of, ids_of_new, is_lost_connection};
use test_support::{self, TestDatabase};

use super::hunt::{EVENT_TYPES, Hunt, OWN, SHARED, SHARED_AGGREGATES, STORE};
use super::session::Sessions;

type Manager<D> = <<D as TestDatabase>::Conn as Connection>::TransactionManager;

/// Does what applications do, and what happens to them, and keeps book of it.
pub struct Writer<'h, D: TestDatabase> {
    hunt: &'h Hunt,
    database: &'h D,
    sessions: &'h Sessions<'h, D>,
    place: usize,
    conn: D::Conn,
    random: Random,
    /// The aggregate that nobody else appends to, and its version unless a commit was not answered.
    own: StreamId,
    own_version: Option<i64>,
    pub ledger: Ledger,
    pub retries: usize,
    pub killed_before_commit: usize,
}

impl<'h, D: TestDatabase> Writer<'h, D> {
    pub fn new(
        hunt: &'h Hunt,
        database: &'h D,
        sessions: &'h Sessions<'h, D>,
        place: usize,
        random: Random,
    ) -> test_support::Result<Self> {
        let mut conn = database.connect()?;
        sessions.register(place, &mut conn)?;
        Ok(Self {
            hunt,
            database,
            sessions,
            place,
            conn,
            random,
            own: StreamId::new(OWN, place)?,
            own_version: Some(0),
            ledger: Ledger::default(),
            retries: 0,
            killed_before_commit: 0,
        })
    }

    pub fn work(&mut self, transactions: usize) -> test_support::Result {
        for _ in 0..transactions {
            let done = match self.random.below(4) {
                0 => self.append_alone(),
                _ => self.transaction(),
            };
            if let Err(error) = done {
                self.recover(error)?;
            }
        }
        Ok(())
    }

    /// What may happen to a writer in this hunt is survived; anything else ends it.
    fn recover(&mut self, error: Error) -> test_support::Result {
        while <Manager<D>>::rollback_transaction(&mut self.conn).is_ok() {}
        self.own_version = None;
        if is_lost_connection(&error) {
            self.conn = self.database.connect()?;
            return self.sessions.register(self.place, &mut self.conn);
        }
        // A deadlock, or a lock that was not given in time.
        if error.is_retryable() {
            self.retries += 1;
            return Ok(());
        }
        Err(error.into())
    }

    fn append_alone(&mut self) -> Result<(), Error> {
        let events = self.some_events();
        match self.append_to_any(&events) {
            Ok(appended) => {
                self.ledger.committed(appended.events());
                Ok(())
            }
            Err(error) => {
                if is_lost_connection(&error) {
                    self.ledger.unclear(ids_of_new(&events));
                } else {
                    self.ledger.withdrawn(ids_of_new(&events));
                }
                Err(error)
            }
        }
    }

    fn transaction(&mut self) -> Result<(), Error> {
        let version_before = self.own_version;
        <Manager<D>>::begin_transaction(&mut self.conn)?;
        let mut kept = Vec::new();
        if let Err(error) = self.steps(&mut kept) {
            self.ledger.withdrawn(ids_of(&kept));
            return Err(error);
        }
        if self.random.below(100) < 12 {
            self.ledger.withdrawn(ids_of(&kept));
            self.own_version = version_before;
            return Ok(<Manager<D>>::rollback_transaction(&mut self.conn)?);
        }
        match <Manager<D>>::commit_transaction(&mut self.conn) {
            Ok(()) => {
                self.ledger.committed(&kept);
                Ok(())
            }
            Err(error) => {
                self.ledger.unclear(ids_of(&kept));
                Err(error.into())
            }
        }
    }

    /// Appends, pauses and savepoints in any order. What is not withdrawn by a savepoint is kept.
    fn steps(&mut self, kept: &mut Vec<RecordedEvent>) -> Result<(), Error> {
        if self.random.below(5) == 0 {
            test_support::insert_app_row(&mut self.conn, "of a writer")?;
        }
        for _ in 0..=self.random.below(3) {
            match self.random.below(10) {
                0..=1 => self.withdrawn_savepoint()?,
                2 => self.kept_savepoint(kept)?,
                _ => kept.extend(self.append()?.into_events()),
            }
            self.pause();
        }
        if self.random.below(40) == 0 && self.sessions.kill(self.place).unwrap_or(false) {
            self.killed_before_commit += 1;
        }
        Ok(())
    }

    /// Often before the transaction's first append, which then begins anew.
    fn withdrawn_savepoint(&mut self) -> Result<(), Error> {
        let version_before = self.own_version;
        <Manager<D>>::begin_transaction(&mut self.conn)?;
        let appended = self.append()?;
        self.ledger.withdrawn(ids_of(appended.events()));
        self.pause();
        <Manager<D>>::rollback_transaction(&mut self.conn)?;
        self.own_version = version_before;
        Ok(())
    }

    fn kept_savepoint(&mut self, kept: &mut Vec<RecordedEvent>) -> Result<(), Error> {
        <Manager<D>>::begin_transaction(&mut self.conn)?;
        kept.extend(self.append()?.into_events());
        Ok(<Manager<D>>::commit_transaction(&mut self.conn)?)
    }

    fn append(&mut self) -> Result<Appended, Error> {
        let events = self.some_events();
        let appended = self.append_to_any(&events);
        if appended.is_err() {
            self.ledger.withdrawn(ids_of_new(&events));
        }
        appended
    }

    fn append_to_any(&mut self, events: &[NewEvent]) -> Result<Appended, Error> {
        if self.random.below(3) == 0 {
            let shared = StreamId::new(SHARED, self.random.below(SHARED_AGGREGATES))?;
            return Ok(STORE.append(&mut self.conn, &shared, ExpectedVersion::Any, events)?);
        }
        // Nobody else appends to it, so a conflict would be wrong.
        let expected = self.own_version.map_or(ExpectedVersion::Any, ExpectedVersion::Exact);
        let appended = STORE.append(&mut self.conn, &self.own, expected, events)?;
        self.own_version = Some(appended.version());
        Ok(appended)
    }

    fn some_events(&mut self) -> Vec<NewEvent> {
        (0..=self.random.below(5))
            .map(|_| {
                let event_type = EVENT_TYPES[self.random.below(EVENT_TYPES.len() as u64) as usize];
                NewEvent::new(event_type, &self.place).expect("a number is JSON")
            })
            .collect()
    }

    fn pause(&mut self) {
        let longest = self.hunt.longest_pause().as_micros() as u64;
        let pause = match self.random.below(10) {
            0..=4 => 0,
            5..=8 => self.random.below(1 + longest / 8),
            _ => self.random.below(1 + longest),
        };
        thread::sleep(Duration::from_micros(pause));
    }
}

/// Appends, and then does not come to an end for long.
pub fn linger<D: TestDatabase>(
    hunt: &Hunt,
    database: &D,
    roll_back: bool,
    ledger: &mut Ledger,
) -> test_support::Result {
    let mut conn = database.connect()?;
    let lingering = StreamId::new(OWN, "lingering")?;
    let events = EVENT_TYPES.map(|event_type| NewEvent::new(event_type, "lingers"));
    let events = events.into_iter().collect::<Result<Vec<_>, _>>()?;
    <Manager<D>>::begin_transaction(&mut conn)?;
    let appended = STORE.append(&mut conn, &lingering, ExpectedVersion::Any, &events)?.into_events();
    thread::sleep(hunt.lingering());
    if roll_back {
        ledger.withdrawn(ids_of(&appended));
        return Ok(<Manager<D>>::rollback_transaction(&mut conn)?);
    }
    <Manager<D>>::commit_transaction(&mut conn)?;
    ledger.committed(&appended);
    Ok(())
}
