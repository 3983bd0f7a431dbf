use std::io::Write;

use super::archivable::Selection;
use super::before::Before;
use super::error::ArchiveError;
use crate::model::position::Position;
use crate::operate::links::{LinkRef, Page, each_page};
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::transfer::event_lines::EventLines;
use crate::transfer::exported::Exported;
use crate::transfer::header::{Content, Header};
use crate::transfer::out_file::OutFile;
use crate::transfer::rest_line::write_start;

/// Writes all events of the streams that end before a position or a time to `out`: the first half of
/// archiving them. Nothing is removed; [`remove_archived`](super::remove_archived) does that once the file is
/// safe. Make it so before: [`File::sync_all`](std::fs::File::sync_all).
///
/// The file is one of [`export`](crate::transfer::export()), whose first line says that it is an archive. It
/// has no checkpoints and no idempotency keys. In memory are a few pages of events and 16 bytes for each stream.
///
/// The connection must not be in a transaction. Appends go on meanwhile.
///
/// # Errors
///
/// Those of [`archivable`](super::archivable()), and [`ArchiveError::Export`]: the file or the database has
/// failed. The file has no trailer then.
///
/// # Example
///
/// See [`remove_archived`](super::remove_archived).
pub fn export_archive<C, W>(conn: &mut C, before: impl Into<Before>, out: W) -> Result<Exported, ArchiveError>
where
    C: EventConnection + ?Sized,
    W: Write,
{
    let selection = Selection::make(conn, before.into())?;
    let log_id = conn.database().log_row()?.log_id;
    let end = Position::stored((selection.archivable.before().get() - 1).max(0));
    let mut file = OutFile::begin(out, Header { content: Content::Archive, log_id, end })?;
    for start in &selection.starts {
        file.other(|line| write_start(line, start))?;
    }
    let is_selected =
        |link: &LinkRef<'_>| matches!(link, LinkRef::Event(event) if selection.contains(event.stream()));
    let mut encode = EventLines::after(file.chain);
    let encode = |page: &Page| encode(&mut page.iter().filter(is_selected));
    each_page(conn, (Position::START, end), encode, |lines, _| {
        file.lines(&lines).map_err(ArchiveError::from)
    })?;
    Ok(file.end()?)
}
