use std::io::{self, BufRead};

use super::archived::Archived;
use super::bound::bounded;
use super::error::ArchiveError;
use super::read::{each_event, of_this_log, opened};
use super::walk::Walk;
use super::whole::Whole;
use crate::line::chain::leaf;
use crate::model::leaf::Leaf;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::write_transaction::write_transaction;

/// In one transaction.
const LEAVES: usize = 1_000;
const STREAMS: usize = 100;

/// Removes from the log what is in an archive that [`export_archive`](super::export_archive) has written: the
/// second half of archiving. `open` opens the file; it is called several times, because the whole file is
/// checked, and each event compared with the log, before anything is removed.
///
/// The heads stay, so an append to such a stream goes on at its version. To load its aggregate is refused as
/// [`LoadError::Archived`](crate::LoadError::Archived), and to read the log from below as
/// [`ReadError::Archived`](crate::ReadError::Archived). Of each event a hash is left in the table
/// `event_rewrites`, with which seals still hold: see [archiving](crate::guide::archiving). Snapshots of
/// these streams are removed, too. A stream that has gone on since the file was written stays as it is.
///
/// Each hundred streams are a transaction, in which the stream's head is locked. If this is killed, call it
/// again with the same file. The connection must not be in a transaction, and needs the right to delete
/// events.
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
    let removed = leave_hashes(conn, opened(&mut open)?)
        .and_then(|()| remove_streams(conn, opened(&mut open)?, &whole));
    // Of what stays, whatever has happened.
    let forgotten = conn.database().forget_leaves(whole.after, whole.last_position);
    let removed = removed?;
    forgotten?;
    Ok(removed)
}

/// Projections may have been created or reset since the file was written.
fn refuse_held_back<C: EventConnection + ?Sized>(conn: &mut C, last: Position) -> Result<(), ArchiveError> {
    match bounded(conn, Position::stored(last.get() + 1))? {
        before if before > last => Ok(()),
        _ => Err(ArchiveError::AtTheEnd { position: last }),
    }
}

/// From then on the database allows these events to be removed, and no others.
fn leave_hashes<C, R>(conn: &mut C, input: R) -> Result<(), ArchiveError>
where
    C: EventConnection + ?Sized,
    R: BufRead,
{
    let (mut log, mut known, mut line) = (Walk::default(), Walk::default(), Vec::new());
    let mut leaves = Vec::new();
    each_event(input, |number, event| {
        let left = leaf(&mut line, event);
        let there = log.event_at(conn, event.position)?.map(|event| leaf(&mut line, &event));
        let before = known.leaf_at(conn, event.position)?;
        if there.as_ref().or(before.as_ref()) != Some(&left) {
            return Err(ArchiveError::Differs { line: number, position: event.position });
        }
        if before.is_none() {
            leaves.push(left);
        }
        if leaves.len() == LEAVES { insert(conn, &mut leaves) } else { Ok(()) }
    })?;
    insert(conn, &mut leaves)
}

fn insert<C: EventConnection + ?Sized>(conn: &mut C, leaves: &mut Vec<Leaf>) -> Result<(), ArchiveError> {
    write_transaction(conn, |conn| conn.database().insert_leaves(leaves))?;
    leaves.clear();
    Ok(())
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
            streams.push((event.stream.clone(), event.version));
        }
        if streams.len() == STREAMS { remove(conn, &mut streams, &mut archived) } else { Ok(()) }
    })?;
    remove(conn, &mut streams, &mut archived)?;
    Ok(archived)
}

fn remove<C: EventConnection + ?Sized>(
    conn: &mut C,
    streams: &mut Vec<(StreamId, i64)>,
    archived: &mut Archived,
) -> Result<(), ArchiveError> {
    let mut now = *archived;
    write_transaction(conn, |conn| -> Result<(), ArchiveError> {
        for (stream, version) in streams.drain(..) {
            // Who appends waits from here on, and goes on at this version.
            if !conn.database().archive_head(&stream, version)? {
                now.kept += 1;
                continue;
            }
            let events = conn.database().remove_stream(&stream, version)? as u64;
            now.events += events;
            now.streams += u64::from(events > 0);
        }
        Ok(())
    })?;
    *archived = now;
    Ok(())
}
