//! An import into a log that has no events.

use std::io::BufRead;

use super::batch::Batch;
use super::beside::{Feed, read_beside};
use super::chain::chain_of;
use super::check::Checked;
use super::error::{FileProblem, ImportError};
use super::file::LogFile;
use super::imported::Imported;
use super::item::Item;
use super::note::Note;
use super::receiver::Receiver;
use crate::line::chain::Chain;
use crate::model::position::Position;
use crate::operate::links::Link;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::write_transaction::write_transaction;

/// Closes the log.
pub(super) fn begin<'c, C: EventConnection + ?Sized>(
    conn: &'c mut C,
    checked: &Checked,
) -> Result<Receiver<'c, C>, ImportError> {
    let log_id = checked.header.log_id;
    Ok(Receiver::begin(conn, log_id, Note::of_import(Chain::of_log(log_id)))?)
}

/// Everything that is not there yet.
pub(super) fn receive<C: EventConnection + ?Sized, R: BufRead + Send>(
    mut log: Receiver<'_, C>,
    input: R,
    checked: &Checked,
) -> Result<Imported, ImportError> {
    let events = receive_events(&mut log, input, checked)?;
    read_back(&mut log, checked)?;
    log.conn.database().repair()?; // the heads, and what counts positions
    log.receive_rest(&checked.rest)?;
    log.conn.database().go_on_above(checked.highest_position())?;
    write_transaction(log.conn, |conn| conn.database().open())?;
    let skipped = 0;
    Ok(Imported { log_id: checked.header.log_id, events, skipped, last_position: log.note.position })
}

fn receive_events<C: EventConnection + ?Sized, R: BufRead + Send>(
    log: &mut Receiver<'_, C>,
    input: R,
    checked: &Checked,
) -> Result<u64, ImportError> {
    let after = log.note.position;
    let (read, received) =
        read_beside(|feed| read_links(input, checked, after, feed), |links| receive_links(log, links))?;
    let received = received?;
    read?;
    Ok(received)
}

/// What stands in the file above a position, with the chain behind it; at the end of the file nothing with it.
fn read_links<R: BufRead>(
    input: R,
    checked: &Checked,
    after: Position,
    feed: &mut Feed<(Option<Link>, Chain)>,
) -> Result<(), ImportError> {
    let mut file = LogFile::open(input)?;
    if file.header != checked.header {
        return Err(FileProblem::Changed { log_id: file.header.log_id }.at(1));
    }
    while let Some(item) = file.next()? {
        let link = match item {
            Item::Event(event) => Link::Event(*event),
            Item::Gone(leaf) => Link::Gone(leaf),
            _ => continue,
        };
        let bytes = link.bytes();
        if link.position() > after && feed.give((Some(link), file.chain), bytes).is_err() {
            return Ok(()); // the other half says why
        }
    }
    let _ = feed.give((None, file.chain), 0);
    Ok(())
}

fn receive_links<C: EventConnection + ?Sized>(
    log: &mut Receiver<'_, C>,
    links: &mut dyn Iterator<Item = (Option<Link>, Chain)>,
) -> Result<u64, ImportError> {
    let (mut batch, mut received) = (Batch::default(), 0);
    for (link, chain) in links {
        let is_end = link.is_none();
        link.into_iter().for_each(|link| batch.push(link));
        if is_end || batch.is_full() {
            received += log.receive_batch(&mut batch, chain)?;
        }
    }
    Ok(received)
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
