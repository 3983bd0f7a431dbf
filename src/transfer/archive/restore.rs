use std::io::{self, BufRead};

use super::error::ArchiveError;
use super::read::{each_event, of_this_log, opened};
use super::walk::Walk;
use super::whole::Whole;
use crate::line::chain::leaf;
use crate::model::event::RecordedEvent;
use crate::model::stream_id::StreamId;
use crate::operate::links::Link;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::write_transaction::write_transaction;
use crate::transfer::batch::Batch;

/// What [`restore`] has put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restored {
    streams: u64,
    events: u64,
}

impl Restored {
    /// How many streams, by this call.
    pub fn streams(&self) -> u64 {
        self.streams
    }

    /// How many events.
    pub fn events(&self) -> u64 {
        self.events
    }
}

/// Puts the events of an archive back where they were in the log, at their positions. `open` opens the file;
/// it is called several times, because the whole file is checked before anything is written. Each event is
/// compared with the hash that was left of it, so it is the one that was removed. What is there already is
/// passed over.
///
/// Aggregates of these streams are loaded again, and once nothing is missing any more, the log is read from
/// its beginning. Projections notice nothing: they have applied these events. If a stream was archived in
/// several files, restore the newest first.
///
/// It is one transaction, all or nothing. Appends to other streams go on meanwhile, except on SQLite, where
/// they wait. In memory are a batch of events and the name of each stream. The connection must not be in a
/// transaction.
///
/// # Errors
///
/// - [`ArchiveError::File`]: the file is no whole archive. [`ArchiveError::OtherLog`]: it is one of another
///   log.
/// - [`ArchiveError::Differs`]: the log never had this event, or it was not archived.
/// - [`ArchiveError::Gap`]: later events of a stream are in another archive.
/// - [`ArchiveError::LogClosed`], [`ArchiveError::InTransaction`], and those of the database.
///
/// ```no_run
/// use std::fs::File;
/// use std::io::BufReader;
///
/// use diesel::prelude::*;
/// use diesel_event_store::transfer::restore;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = SqliteConnection::establish("shop.db")?;
/// let restored = restore(&mut conn, || Ok(BufReader::new(File::open("old.jsonl")?)))?;
/// println!("{} events of {} streams are back", restored.events(), restored.streams());
/// # Ok(())
/// # }
/// ```
pub fn restore<C, R>(conn: &mut C, mut open: impl FnMut() -> io::Result<R>) -> Result<Restored, ArchiveError>
where
    C: EventConnection + ?Sized,
    R: BufRead,
{
    let whole = of_this_log(conn, &mut open)?;
    let (streams, events) = (streams(opened(&mut open)?, &whole)?, opened(&mut open)?);
    write_transaction(conn, |conn| {
        // Before anything is read: what a transaction reads can be as old as its first look. Whoever archives
        // these streams or restores them waits from then on.
        streams.iter().try_for_each(|stream| conn.database().lock_head(stream))?;
        put_back(conn, events, &whole)
    })
}

/// In the order in which all lock them, so that nobody waits for another in a circle.
fn streams<R: BufRead>(input: R, whole: &Whole) -> Result<Vec<StreamId>, ArchiveError> {
    let mut streams = Vec::new();
    each_event(input, |_, event| {
        if event.version == whole.first_version(&event.stream) {
            streams.push(event.stream.clone());
        }
        Ok(())
    })?;
    streams.sort_unstable();
    Ok(streams)
}

fn put_back<C, R>(conn: &mut C, input: R, whole: &Whole) -> Result<Restored, ArchiveError>
where
    C: EventConnection + ?Sized,
    R: BufRead,
{
    let (mut leaves, mut line) = (Walk::default(), Vec::new());
    let (mut restored, mut batch) = (Restored::default(), Batch::default());
    each_event(input, |number, event| {
        match leaves.leaf_at(conn, event.position)? {
            Some(left) if left == leaf(&mut line, event) => {}
            None if conn.database().event_id_at(event.position)? == Some(event.id()) => return Ok(()),
            _ => return Err(ArchiveError::Differs { line: number, position: event.position }),
        }
        if event.version == whole.first_version(&event.stream) {
            begin_stream(conn, number, event, whole)?;
            restored.streams += 1;
        }
        restored.events += 1;
        batch.push(Link::Event(event.clone()));
        if batch.is_full() { write(conn, &mut batch) } else { Ok(()) }
    })?;
    write(conn, &mut batch)?;
    Ok(restored)
}

/// With its first event in the file.
fn begin_stream<C: EventConnection + ?Sized>(
    conn: &mut C,
    line: u64,
    event: &RecordedEvent,
    whole: &Whole,
) -> Result<(), ArchiveError> {
    let (stream, ends) = (&event.stream, whole.last_version(&event.stream));
    let begins = conn.database().first_version(stream)?;
    if begins != ends + 1 {
        return Err(ArchiveError::Gap { line, stream: stream.clone(), ends, begins });
    }
    Ok(conn.database().set_archived_version(stream, event.version - 1)?)
}

fn write<C: EventConnection + ?Sized>(conn: &mut C, batch: &mut Batch) -> Result<(), ArchiveError> {
    conn.database().insert_recorded(&batch.events)?;
    let positions: Vec<_> = batch.events.iter().map(|event| event.position).collect();
    conn.database().forget_leaves(&positions)?;
    batch.clear();
    Ok(())
}
