//! A writer whose transactions have nested ones, and rows of their own.

use std::thread;
use std::time::Duration;

use diesel::mysql::MysqlConnection;
use diesel::result::Error::RollbackTransaction;
use diesel_event_store::{
    Error, EventStore, ExpectedVersion, NewEvent, RecordedEvent, StreamId, write_transaction,
};

use crate::random::Random;
use crate::witness::{Ledger, ids_of, ids_of_new, is_lost_connection};
use crate::{Result, insert_app_row};

const STORE: EventStore = EventStore::new();
const SHARED_AGGREGATES: u64 = 3;

/// Keeps book of what it has written.
pub struct NestedWriter {
    number: usize,
    random: Random,
    pub ledger: Ledger,
}

impl NestedWriter {
    pub fn new(number: usize, random: Random) -> Self {
        Self { number, random, ledger: Ledger::default() }
    }

    /// An error that leaves open whether it was committed is taken for one; any other is believed.
    pub fn transaction(&mut self, conn: &mut MysqlConnection) -> Result<(), Error> {
        let (mut kept, mut is_at_its_end) = (Vec::new(), false);
        let outcome = write_transaction(conn, |conn| {
            for _ in 0..=self.random.below(3) {
                self.step(conn, &mut kept)?;
                thread::sleep(Duration::from_micros(self.random.below(3_000)));
            }
            is_at_its_end = true;
            Ok(())
        });
        match &outcome {
            Ok(()) => self.ledger.committed(&kept),
            Err(error) if is_at_its_end && is_lost_connection(error) => self.ledger.unclear(ids_of(&kept)),
            Err(_) => self.ledger.withdrawn(ids_of(&kept)),
        }
        outcome
    }

    /// An append, alone or in a nested transaction, which may be rolled back.
    fn step(&mut self, conn: &mut MysqlConnection, kept: &mut Vec<RecordedEvent>) -> Result<(), Error> {
        match self.random.below(4) {
            0 => kept.extend(self.append_with_rows(conn)?),
            1..=2 => kept.extend(write_transaction(conn, |conn| self.append_with_rows(conn))?),
            _ => {
                let undone = write_transaction(conn, |conn| {
                    let appended = self.append_with_rows(conn)?;
                    self.ledger.withdrawn(ids_of(&appended));
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
    fn append_with_rows(&mut self, conn: &mut MysqlConnection) -> Result<Vec<RecordedEvent>, Error> {
        let stream = match self.random.below(2) {
            0 => StreamId::new("Own", self.number)?,
            _ => StreamId::new("Shared", self.random.below(SHARED_AGGREGATES))?,
        };
        let events = (0..=self.random.below(2))
            .map(|_| NewEvent::new("Counted", &self.number))
            .collect::<Result<Vec<_>, _>>()?;
        let appended = rows_and_events(conn, &stream, &events);
        if appended.is_err() {
            self.ledger.withdrawn(ids_of_new(&events));
        }
        appended
    }
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
