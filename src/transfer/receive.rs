//! An import into a log that has no events: closed, in batches, opened last.

use std::io::BufRead;

use super::chain::Chain;
use super::check::Checked;
use super::error::{FileProblem, ImportError};
use super::event_line;
use super::file::LogFile;
use super::imported::Imported;
use super::item::Item;
use super::note::Note;
use crate::model::event::RecordedEvent;
use crate::model::log::LogQuery;
use crate::model::position::Position;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::error::DatabaseError;
use crate::storage::write_transaction::write_transaction;
use crate::store::EventStore;

/// In one transaction. More would make it no faster.
const BATCH_EVENTS: usize = 5_000;
const BATCH_BYTES: usize = 4 << 20;

/// A log that receives a file.
pub(super) struct Receiver<'c, C: EventConnection + ?Sized> {
    conn: &'c mut C,
    note: Note,
}

impl<'c, C: EventConnection + ?Sized> Receiver<'c, C> {
    /// Closes a log that is empty.
    pub(super) fn begin(conn: &'c mut C, checked: &Checked) -> Result<Self, ImportError> {
        let note = Note::begin(Chain::of_log(checked.header.log_id));
        write_transaction(conn, |conn| {
            conn.database().close(checked.header.log_id, &note.text())?;
            refuse_occupied(conn)
        })?;
        Ok(Self { conn, note })
    }

    /// Goes on with an import that has come this far.
    pub(super) fn resume(conn: &'c mut C, note: Note) -> Self {
        Self { conn, note }
    }

    /// Everything that is not there yet.
    pub(super) fn receive<R: BufRead>(
        mut self,
        input: R,
        checked: &Checked,
    ) -> Result<Imported, ImportError> {
        let events = self.receive_events(input, checked)?;
        self.read_back(checked)?;
        self.conn.database().repair()?; // the heads, and what counts positions
        self.receive_rest(checked)?;
        self.conn.database().go_on_above(checked.highest_position())?;
        write_transaction(self.conn, |conn| conn.database().open())?;
        let skipped = 0;
        Ok(Imported { log_id: checked.header.log_id, events, skipped, last_position: self.note.position })
    }

    fn receive_events<R: BufRead>(&mut self, input: R, checked: &Checked) -> Result<u64, ImportError> {
        let mut file = LogFile::open(input)?;
        if file.header != checked.header {
            return Err(FileProblem::Changed { log_id: file.header.log_id }.at(1));
        }
        let (mut batch, mut bytes, mut received) = (Vec::new(), 0, 0);
        while let Some(item) = file.next()? {
            let Item::Event(event) = item else { continue };
            if event.position <= self.note.position {
                continue;
            }
            bytes += event.bytes();
            batch.push(*event);
            if batch.len() == BATCH_EVENTS || bytes >= BATCH_BYTES {
                received += self.receive_batch(&mut batch, file.chain)?;
                bytes = 0;
            }
        }
        Ok(received + self.receive_batch(&mut batch, file.chain)?)
    }

    /// `chain` is behind the last of the events. Returns how many there were.
    fn receive_batch(&mut self, batch: &mut Vec<RecordedEvent>, chain: Chain) -> Result<u64, ImportError> {
        let Some(last) = batch.last() else { return Ok(0) };
        let next = self.note.at(last.position, chain);
        self.move_on(next, |conn| Ok(conn.database().receive(batch)?))?;
        let received = batch.len() as u64;
        batch.clear();
        Ok(received)
    }

    /// The note and what it says are committed together.
    fn move_on(
        &mut self,
        next: Note,
        work: impl FnOnce(&mut C) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let from = self.note.text();
        write_transaction(self.conn, |conn| {
            if !conn.database().replace_note(&from, &next.text())? {
                return Err(ImportError::Overtaken);
            }
            work(conn)
        })?;
        self.note = next;
        Ok(())
    }

    /// Whether the events of the store are those of the file, to the character.
    fn read_back(&mut self, checked: &Checked) -> Result<(), ImportError> {
        let (mut chain, mut line) = (Chain::of_log(checked.header.log_id), Vec::new());
        for event in EventStore::new().iter_log(self.conn, LogQuery::after(Position::START)) {
            line.clear();
            event_line::write(&mut line, &event?);
            chain.add(&line);
        }
        if chain == checked.chain {
            return Ok(());
        }
        Err(ImportError::Differs { expected: checked.chain.text(), found: chain.text() })
    }

    /// Heads without events, checkpoints, keys and parked events, once.
    fn receive_rest(&mut self, checked: &Checked) -> Result<(), ImportError> {
        if self.note.is_complete {
            return Ok(());
        }
        let rest = &checked.rest;
        self.move_on(self.note.complete(), |conn| {
            for start in rest.starts.iter().filter(|start| start.first_version.is_none()) {
                conn.database().create_head(start)?;
            }
            for partition in &rest.partitions {
                conn.database().restore_partition(partition)?;
            }
            for key in &rest.keys {
                conn.database().receive_key(&key.as_new())?;
            }
            for (projection, parked) in &rest.parked {
                conn.database().park(projection, parked)?;
                if let Some(requested) = parked.requested {
                    conn.database().request(projection, parked.position, requested)?;
                }
            }
            Ok(())
        })
    }
}

/// With the log closed, so that nothing comes meanwhile.
fn refuse_occupied<C: EventConnection + ?Sized>(conn: &mut C) -> Result<(), ImportError> {
    let occupied = |what| Err(ImportError::Occupied { what });
    if conn.database().last_committed_position()? > Position::START {
        return Err(ImportError::Overtaken);
    }
    if conn.database().has_heads()? {
        return occupied("streams");
    }
    let partitions = conn.database().every_partition();
    if partitions.map_err(DatabaseError::from)?.is_empty() { Ok(()) } else { occupied("checkpoints") }
}
