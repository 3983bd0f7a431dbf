use std::time::Duration;

use super::error::CopyError;
use super::look::note_of_copy;
use crate::model::log_state::LogState;
use crate::operate::freeze::unfreeze_if;
use crate::operate::note::{has_moved, move_of};
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::transfer::note::Move;
use crate::transfer::receiver::Receiver;

/// Takes back a [`copy`](super::copy()) that has not come to its end: the source takes events again, if it
/// was frozen for that copy, and the workers of its projections go on. `false` if none is under way.
///
/// The target stays closed, so that never are both logs open. The same copy can be begun again and goes on
/// where it was; or [`discard`](super::super::discard()) what the target has.
///
/// `patience` is that of [`unfreeze`](crate::operate::unfreeze()).
///
/// # Errors
///
/// [`CopyError::OtherCopy`]: something else fills the target. [`CopyError::Freeze`]: the source could not be
/// opened yet; call it again. [`CopyError::InTransaction`], [`CopyError::Database`].
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
        return open_again(source, patience);
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
        unfreeze_if(source, patience, |_| true)?;
    }
    Ok(true)
}

/// What the target had was discarded. The source may have been frozen for it.
fn open_again<S: EventConnection + ?Sized>(source: &mut S, patience: Duration) -> Result<bool, CopyError> {
    let note = source.database().log_row()?.note.unwrap_or_default();
    match move_of(&note).is_some() && !has_moved(&note) {
        true => Ok(unfreeze_if(source, patience, |other| other == note)?),
        false => Ok(false),
    }
}
