use std::time::Duration;

use uuid::Uuid;

use super::error::CopyError;
use super::switch::highest_position;
use crate::model::log_state::{LogClosed, LogState};
use crate::model::position::Position;
use crate::operate::FreezeError;
use crate::operate::freeze::unfreeze_if;
use crate::operate::note::is_lost;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::log_state::LogRow;
use crate::transfer::chain::chain_of;
use crate::transfer::note::Note;
use crate::transfer::receiver::open;

/// Opens a log whose other database is lost, with the events that it has. `false` if the log was open.
///
/// - A log that has moved: it is as it was when it moved, and workers get back the partitions that the move
///   took from them. What was appended in the other database is only there.
/// - The target of a [`copy`](super::copy()) that has not come to its end, for instance one on the way back,
///   or a live copy: it keeps what was copied so far, which is compared with what the copy has noted.
///   Idempotency keys, checkpoints that were to be kept, and the versions of streams that the source had
///   archived come last, and are missing if the copy has not come so far.
/// - A log that is closed for a reason nobody knows any more ([`FreezeError::MayHaveMoved`]).
///
/// Make sure that nobody appends to the other database any more: two logs that are both open have different
/// events from then on, and neither can be copied into the other. As long as the other database is there,
/// [`copy`](super::copy()) the log back, run a copy again, or [`abandon`](super::abandon()) it.
///
/// `patience` is that of [`unfreeze`](crate::operate::unfreeze()).
///
/// The connection must not be in a transaction.
///
/// # Errors
///
/// The log stays closed. [`CopyError::Altered`]: its events are not those that were copied into it.
/// [`CopyError::Freeze`]: transactions are in the way, or an import fills the log. [`CopyError::Overtaken`]:
/// another process still copies into it. [`CopyError::InTransaction`], [`CopyError::Read`],
/// [`CopyError::Database`].
///
/// ```
/// # use std::time::Duration;
/// # use diesel::prelude::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut shop = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut shop)?;
/// # let mut server = SqliteConnection::establish(":memory:")?;
/// use diesel_event_store::operate::{FreezeError, unfreeze};
/// use diesel_event_store::transfer::{CopyOptions, copy, reclaim};
///
/// let patience = Duration::from_secs(30);
/// copy(&mut shop, &mut server, &CopyOptions::to("postgres://db/shop"), |_| true)?;
/// assert!(matches!(unfreeze(&mut shop, patience), Err(FreezeError::HasMoved(_))));
///
/// // The server has burnt down.
/// assert!(reclaim(&mut shop, patience)?);
/// # Ok(())
/// # }
/// ```
pub fn reclaim<C>(conn: &mut C, patience: Duration) -> Result<bool, CopyError>
where
    C: EventConnection + ?Sized,
{
    let row = conn.database().log_row()?;
    match row.state {
        LogState::Receiving => open_target(conn, row, patience).map(|()| true),
        LogState::Open | LogState::Frozen => Ok(unfreeze_if(conn, patience, |_| Ok(()))?),
    }
}

/// As a copy has left it.
fn open_target<C>(conn: &mut C, row: LogRow, patience: Duration) -> Result<(), CopyError>
where
    C: EventConnection + ?Sized,
{
    if conn.database().depth()? > 0 {
        return Err(CopyError::InTransaction);
    }
    let LogRow { log_id, state, note } = row;
    let note = note.unwrap_or_default();
    if !is_lost(&note) {
        match Note::read(&note).filter(|note| note.copied().is_some()) {
            Some(copied) => refuse_altered(conn, log_id, &copied)?,
            None => return Err(FreezeError::from(LogClosed { state, note }).into()),
        }
    }
    conn.database().repair()?; // the heads
    let above = highest_position(conn)?;
    conn.database().go_on_above(above)?;
    Ok(open(conn, &note, patience)?)
}

fn refuse_altered<C>(conn: &mut C, log_id: Uuid, copied: &Note) -> Result<(), CopyError>
where
    C: EventConnection + ?Sized,
{
    match chain_of(conn, log_id, Position::END)?.text() == copied.chain {
        true => Ok(()),
        false => Err(CopyError::Altered { position: copied.position }),
    }
}
