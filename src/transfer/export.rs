use std::io::Write;

use super::error::ExportError;
use super::event_lines::EventLines;
use super::exported::Exported;
use super::header::{Content, Header};
use super::keys::each_key;
use super::out_file::OutFile;
use super::projections::Projections;
use super::rest_line::{write_key, write_parked, write_partition, write_start};
use crate::model::log_state::LogState;
use crate::model::position::Position;
use crate::operate::links::{Page, each_page};
use crate::storage::carry::StreamStart;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::read::ReadError;

/// Writes the whole log to `out`, with the checkpoints of projections, their parked events and idempotency
/// keys: a line of JSON for each, and a trailer that says that the file is whole. The same log makes the same
/// bytes on every database. The page [moving to a server](crate::guide::moving) describes the file.
///
/// It exports up to where the log is complete when it begins; appends go on meanwhile, and are not in the
/// file. A second thread makes the lines while the next events are read. In memory are a few pages of events,
/// all checkpoints and parked events, and the names of the streams that do not have all their versions from 1
/// on. Call it outside of transactions, where the newest events are found on every database.
///
/// # Errors
///
/// [`ExportError`]: the file or the database has failed, or an import has filled the log only in part. The
/// file has no trailer then.
///
/// ```
/// # use diesel::prelude::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let mut file = Vec::new();
/// let exported = diesel_event_store::transfer::export(&mut conn, &mut file)?;
/// assert_eq!(exported.events(), 0);
/// assert!(file.starts_with(br#"{"diesel_event_store":"log","format":1,"#));
/// # Ok(())
/// # }
/// ```
pub fn export<C, W>(conn: &mut C, out: W) -> Result<Exported, ExportError>
where
    C: EventConnection + ?Sized,
    W: Write,
{
    let row = conn.database().log_row()?;
    let log_id = row.log_id;
    if let Some(closed) = row.closed().filter(|closed| closed.state() == LogState::Receiving) {
        return Err(ExportError::Receiving(closed));
    }
    // Before the end of the log, so that no checkpoint lies beyond it.
    let Projections { partitions, parked } = Projections::read(conn)?;
    let end = conn.database().last_position().map_err(ReadError::from)?;
    let mut file = OutFile::begin(out, Header { content: Content::Log, log_id, end })?;
    let before = starts(conn, end)?;
    for start in &before {
        file.other(|line| write_start(line, start))?;
    }
    let mut encode = EventLines::after(file.chain);
    let encode = |page: &Page| encode(&mut page.iter());
    each_page(conn, (Position::START, end), encode, |lines, _| file.lines(&lines))?;
    if !begin_alike(&before, &starts(conn, end)?) {
        return Err(ExportError::Changed);
    }
    for partition in &partitions {
        file.other(|line| write_partition(line, partition))?;
    }
    for (projection, parked) in &parked {
        file.other(|line| write_parked(line, projection, parked))?;
    }
    each_key(conn, end, |key| file.other(|line| write_key(line, &key)))?;
    file.end()
}

/// The streams that do not have all their versions from 1 on, in the order of their names.
fn starts<C: EventConnection + ?Sized>(conn: &mut C, end: Position) -> Result<Vec<StreamStart>, ExportError> {
    let mut starts = conn.database().stream_starts(end)?;
    starts.extend(conn.database().streams_with_holes(end)?);
    starts.sort_unstable_by(|one, other| one.stream.cmp(&other.stream));
    Ok(starts)
}

/// Whether no stream has lost events, or has them back. An append is not told from none.
fn begin_alike(before: &[StreamStart], after: &[StreamStart]) -> bool {
    let is_alike = |(one, other): (&StreamStart, &StreamStart)| {
        one.stream == other.stream
            && one.first_version == other.first_version
            && one.archived_version == other.archived_version
            && one.missing == other.missing
    };
    before.len() == after.len() && before.iter().zip(after).all(is_alike)
}
