use std::io::{self, BufRead};

use super::archived::Archived;
use super::bound::bounded;
use super::error::ArchiveError;
use super::read::{each_event, of_this_log, opened};
use super::walk::Walk;
use super::whole::Whole;
use crate::line::chain::leaf;
use crate::model::event::RecordedEvent;
use crate::model::leaf::Leaf;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::read::ReadError;
use crate::storage::write_transaction::write_transaction;
use crate::store::EventStore;

/// In one transaction.
const STREAMS: usize = 100;
/// In memory at once.
const LEAVES: usize = 1_000;

/// Removes from the log what is in an archive that [`export_archive`](super::export_archive) has written: the
/// second half of archiving. `open` opens the file; it is called several times, because the whole file is
/// checked, and each event compared with the log, before anything is removed.
///
/// The heads stay, so an append to such a stream goes on at its version. To load its aggregate is refused as
/// [`LoadError::Archived`](crate::LoadError::Archived), and to read the log from below as
/// [`ReadError::Archived`](crate::ReadError::Archived). Of each event a hash is left in the table
/// `event_rewrites`, with which seals still hold: see [archiving](crate::guide::archiving). Snapshots of
/// these streams are removed, too. A stream of which the log has more than the file, because it has gone on
/// or earlier events were restored, stays as it is.
///
/// Each hundred streams are a transaction, in which their heads are locked, their hashes written, and their
/// events deleted. If this is killed, call it again with the same file. Several processes may archive and
/// restore at the same time: a stream is archived by one of them. The connection must not be in a
/// transaction, and needs the right to delete events.
///
/// # Errors
///
/// - [`ArchiveError::File`]: the file is no whole archive. [`ArchiveError::OtherLog`]: it is one of another
///   log.
/// - [`ArchiveError::Differs`]: the log has another event than the file. Nothing was removed.
/// - [`ArchiveError::HeldBack`]: a projection has not applied what is in the file, or has parked it.
/// - [`ArchiveError::LogClosed`], [`ArchiveError::InTransaction`], and those of the database.
///
/// ```
/// use std::fs::File;
/// use std::io::BufReader;
///
/// use diesel::prelude::*;
/// use diesel_event_store::transfer::{export_archive, remove_archived};
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, Position, StreamId};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # let store = EventStore::new();
/// # for id in [1042, 1043] {
/// #     let placed = [NewEvent::new("OrderPlaced", &7)?];
/// #     store.append(&mut conn, &StreamId::new("Order", id)?, ExpectedVersion::NoStream, &placed)?;
/// # }
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("old.jsonl");
/// let mut file = File::create(&path)?;
/// export_archive(&mut conn, Position::END, &mut file)?;
/// file.sync_all()?;
/// let archived = remove_archived(&mut conn, || Ok(BufReader::new(File::open(&path)?)))?;
/// assert_eq!((archived.streams(), archived.events()), (1, 1));
/// assert_eq!(store.first_version(&mut conn, &StreamId::new("Order", 1042)?)?, 2);
/// # Ok(())
/// # }
/// ```
pub fn remove_archived<C, R>(
    conn: &mut C,
    mut open: impl FnMut() -> io::Result<R>,
) -> Result<Archived, ArchiveError>
where
    C: EventConnection + ?Sized,
    R: BufRead,
{
    let whole = of_this_log(conn, &mut open)?;
    if whole.is_empty() {
        return Ok(Archived::default());
    }
    refuse_held_back(conn, whole.last_position)?;
    compare(conn, opened(&mut open)?)?;
    remove_streams(conn, opened(&mut open)?, &whole)
}

/// Projections may have been created or reset since the file was written.
fn refuse_held_back<C: EventConnection + ?Sized>(conn: &mut C, last: Position) -> Result<(), ArchiveError> {
    match bounded(conn, Position::stored(last.get() + 1))? {
        before if before > last => Ok(()),
        _ => Err(ArchiveError::AtTheEnd { position: last }),
    }
}

/// Each event of the file with the one in the log, or with what was left of it.
fn compare<C, R>(conn: &mut C, input: R) -> Result<(), ArchiveError>
where
    C: EventConnection + ?Sized,
    R: BufRead,
{
    let (mut log, mut known, mut line) = (Walk::default(), Walk::default(), Vec::new());
    each_event(input, |number, event| {
        let expected = leaf(&mut line, event);
        let there = log.event_at(conn, event.position)?.map(|event| leaf(&mut line, &event));
        let left = known.leaf_at(conn, event.position)?;
        match there.or(left).as_ref() == Some(&expected) || has_moved(conn, event, &expected)? {
            true => Ok(()),
            false => Err(ArchiveError::Differs { line: number, position: event.position }),
        }
    })
}

/// Whether the event was archived or restored between the two looks. Nobody does so while its head is locked.
fn has_moved<C: EventConnection + ?Sized>(
    conn: &mut C,
    event: &RecordedEvent,
    expected: &Leaf,
) -> Result<bool, ArchiveError> {
    write_transaction(conn, |conn| {
        conn.database().lock_head(&event.stream)?;
        let there = Walk::default().event_at(conn, event.position)?;
        let left = Walk::default().leaf_at(conn, event.position)?;
        let there = there.map(|event| leaf(&mut Vec::new(), &event));
        Ok(there.or(left).as_ref() == Some(expected))
    })
}

/// Each stream with its last event, as a whole.
fn remove_streams<C, R>(conn: &mut C, input: R, whole: &Whole) -> Result<Archived, ArchiveError>
where
    C: EventConnection + ?Sized,
    R: BufRead,
{
    let (mut archived, mut streams) = (Archived::default(), Vec::new());
    each_event(input, |_, event| {
        if event.version == whole.last_version(&event.stream) {
            streams.push(event.stream.clone());
        }
        if streams.len() == STREAMS { remove(conn, &mut streams, whole, &mut archived) } else { Ok(()) }
    })?;
    remove(conn, &mut streams, whole, &mut archived)?;
    Ok(archived)
}

fn remove<C: EventConnection + ?Sized>(
    conn: &mut C,
    streams: &mut Vec<StreamId>,
    whole: &Whole,
    archived: &mut Archived,
) -> Result<(), ArchiveError> {
    // In one order, so that two commands do not wait for each other in a circle.
    streams.sort_unstable();
    let mut now = *archived;
    write_transaction(conn, |conn| -> Result<(), ArchiveError> {
        // Before anything is read: what a transaction reads can be as old as its first look.
        streams.iter().try_for_each(|stream| conn.database().lock_head(stream))?;
        for stream in streams.drain(..) {
            match remove_stream(conn, &stream, whole)? {
                Some(events) => {
                    now.events += events;
                    now.streams += u64::from(events > 0);
                }
                None => now.kept += 1,
            }
        }
        Ok(())
    })?;
    *archived = now;
    Ok(())
}

/// How many events there were; none if the stream stays, because the log has more of it than the file. The
/// head is locked, so whoever appends, archives or restores waits.
fn remove_stream<C: EventConnection + ?Sized>(
    conn: &mut C,
    stream: &StreamId,
    whole: &Whole,
) -> Result<Option<u64>, ArchiveError> {
    let (first, last) = (whole.first_version(stream), whole.last_version(stream));
    if conn.database().first_version(stream)? < first || !conn.database().archive_head(stream, last)? {
        return Ok(None);
    }
    leave_hashes(conn, stream, last)?;
    Ok(Some(conn.database().remove_stream(stream, last)? as u64))
}

/// In the transaction that removes the events: from then on there are the hashes, and until then the events.
fn leave_hashes<C: EventConnection + ?Sized>(
    conn: &mut C,
    stream: &StreamId,
    last: i64,
) -> Result<(), ArchiveError> {
    let (mut next, mut line) = (1, Vec::new());
    while next <= last {
        let events = EventStore::new().iter_stream(conn, stream, next..=last).take(LEAVES);
        let leaves = events.map(|event| {
            let event = event?;
            next = event.version + 1;
            Ok(leaf(&mut line, &event))
        });
        let leaves = leaves.collect::<Result<Vec<_>, ReadError>>()?;
        if leaves.is_empty() {
            break;
        }
        conn.database().insert_leaves(&leaves)?;
    }
    Ok(())
}
