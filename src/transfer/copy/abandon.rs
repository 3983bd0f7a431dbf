use std::time::Duration;

use super::error::CopyError;
use super::look::note_of_copy;
use crate::model::log_state::LogState;
use crate::operate::FreezeError;
use crate::operate::freeze::unfreeze_if;
use crate::operate::note::{has_moved, move_of};
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::transfer::note::Move;
use crate::transfer::receiver::Receiver;

/// Takes back a [`copy`](super::copy()) that has not come to its end: the source takes events again, if it
/// was frozen for that copy, and the workers of its projections continue. `false` if none is under way.
///
/// The target stays closed, so that the two logs are never both open. Begin the same copy again, and it
/// continues where it was; or [`discard`](super::super::discard()) what the target has. A source that is
/// frozen for something else, such as a copy into another database, stays frozen:
/// [`log_closed`](crate::EventStore::log_closed) says why.
///
/// `patience` is that of [`unfreeze`](crate::operate::unfreeze()).
///
/// # Errors
///
/// - [`CopyError::OtherCopy`]: something else fills the target.
/// - [`CopyError::Freeze`]: transactions are in the way, and the source could not be opened yet; call it
///   again. Or the log has moved ([`FreezeError::HasMoved`]), and is not in the target: copy it back from
///   where it is, or, if it is lost there, [`reclaim`](super::reclaim()) it.
/// - [`CopyError::InTransaction`], [`CopyError::Database`].
///
/// ```
/// # use std::time::Duration;
/// # use diesel::prelude::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut shop = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut shop)?;
/// # let mut server = SqliteConnection::establish(":memory:")?;
/// use diesel_event_store::EventStore;
/// use diesel_event_store::transfer::{CopyOptions, abandon, copy};
///
/// let not_now = copy(&mut shop, &mut server, &CopyOptions::to("postgres://db/shop"), |_| false);
/// assert!(not_now.is_err());
/// assert!(abandon(&mut shop, &mut server, Duration::from_secs(30))?);
/// assert!(EventStore::new().log_closed(&mut shop)?.is_none());
/// # Ok(())
/// # }
/// ```
pub fn abandon<S, T>(source: &mut S, target: &mut T, patience: Duration) -> Result<bool, CopyError>
where
    S: EventConnection + ?Sized,
    T: EventConnection + ?Sized,
{
    let (log_id, there) = (source.database().log_row()?.log_id, target.database().log_row()?);
    if there.state != LogState::Receiving {
        return if there.log_id == log_id { Ok(false) } else { open_again(source, patience) };
    }
    let note = note_of_copy(&there, log_id)?;
    let Some(copied) = note.copied().cloned() else { return Ok(false) };
    let (id, abandoned) = (copied.id.clone(), note.with_move(Move { is_abandoned: true, ..copied }));
    Receiver::resume(target, note)?.move_on(abandoned.incomplete(), |_| Ok(()))?;
    // Whoever still copies is overtaken now, and does not open the target.
    let frozen_for = source.database().log_row()?.note.as_deref().and_then(move_of);
    if frozen_for.as_ref().is_none_or(|other| *other == id) {
        source.database().give_back()?;
    }
    if frozen_for == Some(id) {
        unfreeze_if(source, patience, |_| Ok(()))?;
    }
    Ok(true)
}

/// The target does not have this log: what it had was discarded, and the source may have been frozen for it.
fn open_again<S: EventConnection + ?Sized>(source: &mut S, patience: Duration) -> Result<bool, CopyError> {
    match source.database().log_row()?.closed() {
        Some(closed) if has_moved(closed.note()) => Err(FreezeError::HasMoved(closed).into()),
        Some(closed) if move_of(closed.note()).is_some() => {
            Ok(unfreeze_only(source, closed.note(), patience)?)
        }
        _ => Ok(false),
    }
}

/// Opens a log as long as it is frozen with this note.
pub(super) fn unfreeze_only<C: EventConnection + ?Sized>(
    conn: &mut C,
    note: &str,
    patience: Duration,
) -> Result<bool, FreezeError> {
    unfreeze_if(conn, patience, |closed| match closed.note() == note {
        true => Ok(()),
        false => Err(FreezeError::HasMoved(closed.clone())),
    })
}
