//! An import into a log that has no events.

use std::collections::HashSet;
use std::io::BufRead;
use std::time::Duration;

use diesel::result::{DatabaseErrorKind as DieselKind, Error, QueryResult};

use super::batch::Batch;
use super::chain::chain_of;
use super::check::Checked;
use super::error::{FileProblem, ImportError, ReceiveError};
use super::file::LogFile;
use super::header::Content;
use super::imported::Imported;
use super::item::{Item, Line};
use super::note::Note;
use super::receiver::Receiver;
use crate::line::chain::Chain;
use crate::model::event::RecordedEvent;
use crate::model::position::Position;
use crate::operate::links::Link;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::error::DatabaseError;

/// How long to wait for transactions that are in the way of opening the log.
const PATIENCE: Duration = Duration::from_secs(30);

/// Closes the log.
pub(super) fn begin<'c, C: EventConnection + ?Sized>(
    conn: &'c mut C,
    checked: &Checked,
) -> Result<Receiver<'c, C>, ImportError> {
    let log_id = checked.header.log_id;
    Ok(Receiver::begin(conn, log_id, Note::of_import(Chain::of_log(log_id)))?)
}

/// Everything that is not there yet.
pub(super) fn receive<C: EventConnection + ?Sized, R: BufRead>(
    mut log: Receiver<'_, C>,
    input: R,
    checked: &Checked,
) -> Result<Imported, ImportError> {
    let events = receive_events(&mut log, input, checked)?;
    read_back(&mut log, checked)?;
    log.conn.database().repair()?; // the heads, and what counts positions
    log.receive_rest(&checked.rest)?;
    log.conn.database().go_on_above(checked.highest_position())?;
    let last_position = log.note.position;
    log.open(PATIENCE)?;
    Ok(Imported { log_id: checked.header.log_id, events, skipped: 0, last_position })
}

fn receive_events<C: EventConnection + ?Sized, R: BufRead>(
    log: &mut Receiver<'_, C>,
    input: R,
    checked: &Checked,
) -> Result<u64, ImportError> {
    let file = LogFile::open(input, Content::Log)?;
    if file.header != checked.header {
        return Err(FileProblem::Changed { log_id: file.header.log_id }.at(1));
    }
    let (mut batch, mut received, mut last_line) = (Batch::default(), 0, 0);
    let whole = file.each(|Line { number, item, chain }| {
        let link = match item {
            Item::Event(event) => Link::Event(*event),
            Item::Gone(leaf) => Link::Gone(leaf),
            _ => return Ok(()),
        };
        if link.position() > log.note.position {
            batch.push(link);
            last_line = number;
        }
        if batch.is_full() {
            received += receive_batch(log, &mut batch, chain, last_line)?;
        }
        Ok::<_, ImportError>(())
    })?;
    Ok(received + receive_batch(log, &mut batch, whole.chain, last_line)?)
}

/// Only the database compares an id with all earlier ones: to remember them would take memory for each.
fn receive_batch<C: EventConnection + ?Sized>(
    log: &mut Receiver<'_, C>,
    batch: &mut Batch,
    chain: Chain,
    last_line: u64,
) -> Result<u64, ImportError> {
    let error = match log.receive_batch(batch, chain) {
        Err(ReceiveError::Database(error)) if is_of_a_repeated_value(&error) => error,
        other => return Ok(other?),
    };
    match first_repeated(log.conn, &batch.events) {
        Ok(Some(event)) => {
            let problem = format!("event_id {} is in an earlier line, too", event.id());
            Err(FileProblem::malformed(problem).at(last_line - batch.items_after(event.position)))
        }
        _ => Err(error.into()),
    }
}

/// After any other error the store may have these events because another process has imported them meanwhile.
fn is_of_a_repeated_value(error: &DatabaseError) -> bool {
    matches!(error.diesel_error(), Error::DatabaseError(DieselKind::UniqueViolation, _))
}

fn first_repeated<'e, C: EventConnection + ?Sized>(
    conn: &mut C,
    events: &'e [RecordedEvent],
) -> QueryResult<Option<&'e RecordedEvent>> {
    let mut ids = HashSet::new();
    for event in events {
        if !ids.insert(event.id()) || conn.database().read_event(event.id())?.is_some() {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

/// Whether the events of the store are those of the file, to the character.
fn read_back<C: EventConnection + ?Sized>(
    log: &mut Receiver<'_, C>,
    checked: &Checked,
) -> Result<(), ImportError> {
    let chain = chain_of(log.conn, checked.header.log_id, Position::END)?;
    if chain == checked.chain {
        return Ok(());
    }
    Err(ImportError::Differs { expected: checked.chain.text(), found: chain.text() })
}
