use std::io::{self, BufRead};

use super::check::{Checked, check};
use super::error::ImportError;
use super::imported::Imported;
use super::merge::merge;
use super::note::Note;
use super::receive::{begin, receive};
use super::receiver::Receiver;
use crate::model::log_state::{LogClosed, LogState};
use crate::model::position::Position;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::log_state::LogRow;

/// Brings the log of a file that [`export`](super::export()) has written into this store. `open` opens the
/// file; it is called several times, because the whole file is checked before anything is written. Two threads
/// parse the lines while this one writes. In memory are two batches of at most 10,000 events or 8 MiB, 24
/// bytes for each stream, and all checkpoints, parked events and idempotency keys.
///
/// **Into a store without events** everything comes as it was: ids, times, versions and positions of the
/// events, the id of the log, the checkpoints of projections, their parked events, and idempotency keys. Stop
/// the workers of projections before, and move their read models along or [`reset`](crate::projection::reset)
/// them: a checkpoint without its read model skips events for ever. While the import runs the log is closed
/// ([`LogClosed`]), and can be read. What was read back is compared with the file before it opens.
///
/// If the import is killed, at whatever moment, run it again: it goes on where it was. Or
/// [`discard`](super::discard()) it.
///
/// **Into a store with events** the events are appended to their streams, with their ids, times and versions,
/// at new positions, while the log is open. An event that is there already is skipped, so an import can be
/// repeated. Nothing is written if any event of the file would come after or instead of another one; if
/// another connection appends such an event meanwhile, [`ImportError::Partly`] says how many were appended
/// before it. Checkpoints and idempotency keys are not imported.
///
/// The connection must not be in a transaction; an import commits several. On PostgreSQL only the owner of
/// the tables can import into an empty store.
///
/// # Errors
///
/// [`ImportError`]: the file is not whole, or the database has refused.
///
/// # Example
///
/// See the [module](super).
pub fn import<C, R>(conn: &mut C, mut open: impl FnMut() -> io::Result<R>) -> Result<Imported, ImportError>
where
    C: EventConnection + ?Sized,
    R: BufRead,
{
    if conn.database().depth()? > 0 {
        return Err(ImportError::InTransaction);
    }
    let LogRow { log_id, state, note } = conn.database().log_row()?;
    let note = note.unwrap_or_default();
    match state {
        LogState::Receiving => {
            let (checked, note) = check_begun(open()?, note)?;
            if checked.header.log_id != log_id {
                return Err(ImportError::OtherImport { note: note.text() });
            }
            receive(Receiver::resume(conn, note)?, open()?, &checked)
        }
        LogState::Frozen => Err(LogClosed { state, note }.into()),
        LogState::Open if conn.database().last_committed_position()? > Position::START => merge(conn, open),
        LogState::Open => {
            let checked = check(open()?, |_, _| ())?;
            receive(begin(conn, &checked)?, open()?, &checked)
        }
    }
}

/// Whether the file is the one of which a part is there.
fn check_begun<R: BufRead>(input: R, note: String) -> Result<(Checked, Note), ImportError> {
    let Some(begun) = Note::read(&note).filter(|note| note.copied().is_none()) else {
        return Err(ImportError::OtherImport { note });
    };
    let mut is_the_same = false;
    let checked = check(input, |position, chain| {
        is_the_same |= position == begun.position && chain.text() == begun.chain;
    })?;
    if is_the_same { Ok((checked, begun)) } else { Err(ImportError::OtherImport { note }) }
}
