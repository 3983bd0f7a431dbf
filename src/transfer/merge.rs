//! An import into a log that has events.

use std::collections::HashMap;
use std::io::{self, BufRead};

use super::check::check;
use super::error::ImportError;
use super::file::LogFile;
use super::header::Content;
use super::imported::Imported;
use crate::model::event::{NewEvent, RecordedEvent};
use crate::model::expected_version::ExpectedVersion;
use crate::model::stream_id::StreamId;
use crate::storage::carry::StreamStart;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::write_transaction::write_transaction;
use crate::store::EventStore;

/// Events that are committed together.
const BATCH: usize = 500;

/// The whole file is checked, then compared with the store, then appended.
pub(super) fn merge<C, R>(
    conn: &mut C,
    mut open: impl FnMut() -> io::Result<R>,
) -> Result<Imported, ImportError>
where
    C: EventConnection + ?Sized,
    R: BufRead,
{
    let checked = check(open()?, |_, _| ())?;
    let log_id = checked.header.log_id;
    // They follow the header.
    for (line, start) in (2..).zip(&checked.rest.starts) {
        compare_start(conn, line, start)?;
    }
    let mut versions = HashMap::new();
    each_event(open()?, |line, event| compare(conn, line, event, &mut versions).map(drop))?;
    let (mut events, mut skipped) = (0, 0);
    let input = open()?;
    append_all(conn, input, &mut events, &mut skipped).map_err(|error| error.after(events))?;
    let last_position = conn.database().last_committed_position()?;
    Ok(Imported { log_id, events, skipped, last_position })
}

/// In batches. `events` are those that are committed.
fn append_all<C, R>(conn: &mut C, input: R, events: &mut u64, skipped: &mut u64) -> Result<(), ImportError>
where
    C: EventConnection + ?Sized,
    R: BufRead,
{
    let (mut versions, mut batch) = (HashMap::new(), Vec::new());
    each_event(input, |line, event| {
        if !compare(conn, line, event, &mut versions)? {
            *skipped += 1;
            return Ok(());
        }
        batch.push(event.clone());
        if batch.len() == BATCH { append(conn, &mut batch, events) } else { Ok(()) }
    })?;
    append(conn, &mut batch, events)
}

pub(super) fn each_event<R: BufRead>(
    input: R,
    work: impl FnMut(u64, &RecordedEvent) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    LogFile::open(input, Content::Log)?.each_event(work).map(drop)
}

/// A stream whose events are not in the file: this store must have had them.
fn compare_start<C: EventConnection + ?Sized>(
    conn: &mut C,
    line: u64,
    start: &StreamStart,
) -> Result<(), ImportError> {
    let version = conn.database().version(&start.stream)?;
    if start.first_version.is_some() || version >= start.version {
        return Ok(());
    }
    let what = format!("{version} events, and the file has none of its {}", start.version);
    Err(ImportError::OtherEvent { line, stream: start.stream.clone(), what })
}

/// Whether the event is to be appended; not if it is there already. `versions` are those that the streams
/// will have.
fn compare<C: EventConnection + ?Sized>(
    conn: &mut C,
    line: u64,
    event: &RecordedEvent,
    versions: &mut HashMap<StreamId, i64>,
) -> Result<bool, ImportError> {
    let other = |what: String| ImportError::OtherEvent { line, stream: event.stream.clone(), what };
    if let Some(recorded) = conn.database().read_event(event.id())? {
        return match is_the_same(&recorded, event) {
            true => Ok(false),
            false => Err(other(format!("another event with the id {}", event.id()))),
        };
    }
    let version = match versions.get(&event.stream) {
        Some(version) => *version,
        None => conn.database().version(&event.stream)?,
    };
    if event.version != version + 1 {
        return Err(other(format!("{version} events, and this one is version {}", event.version)));
    }
    versions.insert(event.stream.clone(), event.version);
    Ok(true)
}

/// Everything but the position.
fn is_the_same(recorded: &RecordedEvent, event: &RecordedEvent) -> bool {
    RecordedEvent { position: event.position, ..recorded.clone() } == *event
}

fn append<C: EventConnection + ?Sized>(
    conn: &mut C,
    batch: &mut Vec<RecordedEvent>,
    events: &mut u64,
) -> Result<(), ImportError> {
    let (store, appended) = (EventStore::new().max_json_bytes(usize::MAX), batch.len() as u64);
    write_transaction(conn, |conn| -> Result<(), ImportError> {
        for event in batch.drain(..) {
            let expected = ExpectedVersion::Exact(event.version - 1);
            let new = NewEvent { content: event.content, created_at: Some(event.created_at) };
            store.append(conn, &event.stream, expected, &[new])?;
        }
        Ok(())
    })?;
    *events += appended;
    Ok(())
}
