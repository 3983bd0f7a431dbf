use std::collections::HashSet;
use std::io::{self, BufRead};

use uuid::Uuid;

use super::error::{FileProblem, ImportError};
use super::imported::Imported;
use super::new_line;
use crate::line::chain::Chain;
use crate::model::event::{NewEvent, RecordedEvent};
use crate::model::expected_version::ExpectedVersion;
use crate::model::stream_id::StreamId;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::write_transaction::write_transaction;
use crate::store::EventStore;

/// Events that are committed together.
const BATCH: usize = 500;

/// Appends events from elsewhere, which no store has recorded yet: a line of JSON for each, without header
/// and trailer, in the order in which they happened. `open` opens the file; it is called twice, because all
/// lines are checked before anything is written.
///
/// ```json
/// {"aggregate_type":"Order","aggregate_id":"o-1","event_type":"OrderPlaced","payload":{"sku":7}}
/// ```
///
/// A line can also have `tenant_id`, `event_id` (default: made from the lines so far), `event_version`
/// (default: 1), `metadata`, `trace_id`, `correlation_id`, `causation_id` and `created_at` (default: now).
/// Versions and positions are those that the store gives.
///
/// If the import is killed, or has been made already, run it again with the same file: what is there is
/// skipped. More lines at the end of the file are new events. The log is open meanwhile. In memory are a
/// batch of events, and the ids that are given.
///
/// The connection must not be in a transaction; an import commits several.
///
/// # Errors
///
/// [`ImportError::File`]: a line, and what is wrong with it. [`ImportError::OtherEvent`]: the store has
/// another event with that id. Nothing was written then; if it turns out later, it is
/// [`ImportError::Partly`]. [`ImportError::LogClosed`],
/// [`ImportError::InTransaction`]; or the database has refused.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::transfer::import_new;
/// use diesel_event_store::{EventStore, StreamId};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let lines = r#"{"aggregate_type":"Order","aggregate_id":"o-1","event_type":"OrderPlaced","payload":7}
/// {"aggregate_type":"Order","aggregate_id":"o-1","event_type":"OrderPaid","payload":null}
/// "#;
/// assert_eq!(import_new(&mut conn, || Ok(lines.as_bytes()))?.events(), 2);
/// assert_eq!(import_new(&mut conn, || Ok(lines.as_bytes()))?.skipped(), 2);
/// assert_eq!(EventStore::new().version(&mut conn, &StreamId::new("Order", "o-1")?)?, 2);
/// # Ok(())
/// # }
/// ```
pub fn import_new<C, R>(
    conn: &mut C,
    mut open: impl FnMut() -> io::Result<R>,
) -> Result<Imported, ImportError>
where
    C: EventConnection + ?Sized,
    R: BufRead,
{
    if conn.database().depth()? > 0 {
        return Err(ImportError::InTransaction);
    }
    let row = conn.database().log_row()?;
    let log_id = row.log_id;
    if let Some(closed) = row.closed() {
        return Err(closed.into());
    }
    let mut ids = HashSet::new();
    each_line(open()?, log_id, |line| {
        line.refuse_repeated(&mut ids)?;
        line.is_new(conn).map(drop)
    })?;
    let (mut events, mut skipped) = (0, 0);
    let input = open()?;
    append_all(conn, input, log_id, &mut events, &mut skipped).map_err(|error| error.after(events))?;
    let last_position = conn.database().last_committed_position()?;
    Ok(Imported { log_id, events, skipped, last_position })
}

struct Line {
    number: u64,
    /// What its id is if it has none of its own.
    id: Uuid,
    stream: StreamId,
    event: NewEvent,
}

impl Line {
    /// Not if the store has it from this file.
    fn is_new<C: EventConnection + ?Sized>(&self, conn: &mut C) -> Result<bool, ImportError> {
        let id = self.event.id();
        let Some(recorded) = conn.database().read_event(id)? else { return Ok(true) };
        if self.is_the_same(&recorded) {
            return Ok(false);
        }
        let what = format!("another event with the id {id}");
        Err(ImportError::OtherEvent { line: self.number, stream: self.stream.clone(), what })
    }

    fn is_the_same(&self, recorded: &RecordedEvent) -> bool {
        let NewEvent { content, created_at } = &self.event;
        let has_same_time = created_at.is_none_or(|time| time == recorded.created_at);
        has_same_time && self.stream == recorded.stream && *content == recorded.content
    }

    /// An id that stands in the file twice. Those that are made are all different.
    fn refuse_repeated(&self, ids: &mut HashSet<Uuid>) -> Result<(), ImportError> {
        let id = self.event.id();
        match id == self.id || ids.insert(id) {
            true => Ok(()),
            false => {
                Err(FileProblem::malformed(format!("event_id {id} stands in an earlier line"))
                    .at(self.number))
            }
        }
    }
}

/// The same lines get the same ids in the same log.
fn each_line<R: BufRead>(
    input: R,
    log_id: Uuid,
    mut work: impl FnMut(Line) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut chain = Chain::of_log(log_id);
    for (number, line) in (1..).zip(input.split(b'\n')) {
        let line = line?;
        chain.add(&line);
        let text = std::str::from_utf8(&line).map_err(FileProblem::malformed);
        let read = text.and_then(|text| new_line::read(text, chain.id()));
        let (stream, event) = read.map_err(|problem| problem.at(number))?;
        work(Line { number, id: chain.id(), stream, event })?;
    }
    Ok(())
}

/// In batches. `events` are those that are committed.
fn append_all<C, R>(
    conn: &mut C,
    input: R,
    log_id: Uuid,
    events: &mut u64,
    skipped: &mut u64,
) -> Result<(), ImportError>
where
    C: EventConnection + ?Sized,
    R: BufRead,
{
    let mut batch = Vec::new();
    each_line(input, log_id, |line| {
        if !line.is_new(conn)? {
            *skipped += 1;
            return Ok(());
        }
        batch.push((line.stream, line.event));
        if batch.len() == BATCH { append(conn, &mut batch, events) } else { Ok(()) }
    })?;
    append(conn, &mut batch, events)
}

fn append<C: EventConnection + ?Sized>(
    conn: &mut C,
    batch: &mut Vec<(StreamId, NewEvent)>,
    events: &mut u64,
) -> Result<(), ImportError> {
    let (store, appended) = (EventStore::new().max_json_bytes(usize::MAX), batch.len() as u64);
    write_transaction(conn, |conn| -> Result<(), ImportError> {
        for (stream, event) in batch.drain(..) {
            store.append(conn, &stream, ExpectedVersion::Any, &[event])?;
        }
        Ok(())
    })?;
    *events += appended;
    Ok(())
}
