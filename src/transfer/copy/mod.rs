//! From one database to another while the source is in use. What happens, in this order:
//!
//! 1. The target is `receiving`, and its note says how far. Everything up to where the source is complete
//!    goes there, batch by batch, with its positions; again, until little is left.
//! 2. The note of the target says that checkpoints and keys are still to be brought, also if they were
//!    brought before. Then the source is frozen, with the id of the move, and the rest goes there. Both logs
//!    are compared.
//! 3. The checkpoints that are kept are taken from the workers of the source, and go to the target.
//! 4. The note of the source says that the log has moved, and the target opens.
//!
//! **Nothing is missed or doubled.** At or below the position up to which a log is complete nothing is
//! committed any more, and the events of a batch and the note that counts them are committed together. So the
//! target has exactly the events of the source up to its note. After the source is frozen, nothing is
//! committed above.
//!
//! **Never two open logs.** The target opens only after the note of the source says that the log has moved,
//! which replaces the note with which this move has frozen it: so it is still frozen then. The target opens in
//! a transaction that finds its own note as this process has left it. The source is opened again only before
//! its note says so, or after the note of the target says that the move is abandoned.
//!
//! Killed anywhere, the state of both logs and the note say where to go on.

mod abandon;
mod control;
mod copied;
mod copier;
mod difference;
mod error;
mod look;
mod options;
mod plan;
mod reclaim;
mod switch;

use diesel::result::QueryResult;

use crate::storage::connection::{EventConnection, HasDatabase};
use crate::store::migrate::run_pending_migrations;

pub use abandon::abandon;
use control::Asked;
pub use control::{CopyControl, Next};
pub use copied::Copied;
use copier::Copier;
pub use difference::Difference;
pub use error::CopyError;
pub use options::CopyOptions;
use plan::refuse_undecided;
pub use plan::{CarriedProjection, CopyPlan, Fate};
pub use reclaim::reclaim;

/// Says what [`copy`] would do, and changes nothing. The target may be without tables.
///
/// If a copy has begun, or a log moves back, it reads the source up to where the target is. Call it outside a
/// transaction: inside one, it compares what that transaction sees.
///
/// # Errors
///
/// [`CopyError`]: why it would be refused, but for projections that are neither kept nor rebuilt, which the
/// plan lists.
///
/// ```
/// # use diesel::prelude::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut shop = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut shop)?;
/// # let mut server = SqliteConnection::establish(":memory:")?;
/// use diesel_event_store::transfer::{CopyOptions, look};
///
/// let plan = look(&mut shop, &mut server, &CopyOptions::to("postgres://db/shop"))?;
/// assert!(!plan.is_done() && plan.undecided().is_empty());
/// # Ok(())
/// # }
/// ```
pub fn look<S, T>(source: &mut S, target: &mut T, options: &CopyOptions) -> Result<CopyPlan, CopyError>
where
    S: EventConnection + ?Sized,
    T: EventConnection + ?Sized,
{
    options.check()?;
    refuse_transactions(source, target)?;
    look::look(source, target, options).map(|(plan, ..)| plan)
}

/// Moves a log to another database while it is in use: between any two of SQLite, PostgreSQL, MySQL and
/// MariaDB, with ids, times, versions and positions, with idempotency keys, and with the checkpoints of those
/// projections whose read models move, too.
///
/// The target is a database without events of its own, whose tables are created if they are not there; or one
/// from which the log has moved away, and to which it moves back: only what is new is copied then. While it
/// fills it takes no appends, and can be read.
///
/// The application goes on appending to the source until little is left. Then `switch` is asked. If it says
/// yes, the source is frozen, and stays so unless the log moves back: every append fails with
/// [`AppendError::LogClosed`](crate::AppendError::LogClosed), whose note says where the log is. The rest is
/// copied, both logs are compared, and the target opens. If it says no, everything stays as it is, and the
/// next call goes on.
///
/// Each projection of the source must be [kept](CopyOptions::keep) or [rebuilt](CopyOptions::rebuild). What
/// is kept is taken from its workers on the source, so that its checkpoint stands still and its read model
/// can be moved: do so before its workers start on the target. A checkpoint that the application keeps itself
/// ([`save_checkpoint`](crate::EventStore::save_checkpoint)) cannot be taken from it: stop that reader
/// before. A projection that has a checkpoint in the target already, because it was left there when the log
/// moved away or was begun while the target filled, goes on with that one unless it is kept.
///
/// **If it is killed, call it again**, with the same databases and options. A move that is not wanted any
/// more is taken back with [`abandon`], as long as the target is not open.
///
/// Do not archive, restore, erase or mask events of the source while it is copied: what the target has already
/// does not change. Streams that were archived or restored are found ([`CopyError::ArchivedSince`]). What is
/// erased or masked is not, so do that in both databases.
///
/// Neither connection may be in a transaction. On PostgreSQL, MySQL and MariaDB it takes the rights of the
/// tables' owner on both sides. It holds a batch of events in memory, all idempotency keys and parked events.
///
/// # Errors
///
/// [`CopyError`]: nothing is lost then, and never are both logs open. If it is
/// [retryable](CopyError::is_retryable), call it again.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::transfer::{CopyOptions, copy};
/// use diesel_event_store::{AppendError, EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut shop = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut shop)?;
/// # let (store, order) = (EventStore::new(), StreamId::new("Order", 1042)?);
/// # let placed = [NewEvent::new("OrderPlaced", &7)?];
/// # store.append(&mut shop, &order, ExpectedVersion::NoStream, &placed)?;
/// let mut server = SqliteConnection::establish(":memory:")?; // or PostgreSQL, MySQL, MariaDB
/// let copied = copy(&mut shop, &mut server, &CopyOptions::to("postgres://db/shop"), |_| true)?;
/// assert_eq!(copied.events(), 1);
///
/// assert_eq!(store.version(&mut server, &order)?, 1);
/// match store.append(&mut shop, &order, ExpectedVersion::Any, &[NewEvent::new("OrderPaid", &7)?]) {
///     Err(AppendError::LogClosed(closed)) => assert!(closed.note().contains("postgres://db/shop")),
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
pub fn copy<S, T>(
    source: &mut S,
    target: &mut T,
    options: &CopyOptions,
    switch: impl FnOnce(&Copied) -> bool,
) -> Result<Copied, CopyError>
where
    S: EventConnection + ?Sized,
    T: EventConnection + ?Sized,
{
    copy_with(source, target, options, &mut Asked(Some(switch)))
}

/// The same as [`copy`], with more to say meanwhile: `control` is told how far it has come, can stop it after
/// each batch, can let the target follow the source, as a live copy on another database, and copies the read
/// models that move along.
///
/// A log that follows can be read, and projections can be built from it. It takes no appends, and is closed
/// ([`LogState::Receiving`](crate::LogState::Receiving)) until the log has moved.
///
/// # Errors
///
/// Those of [`copy`]; [`CopyError::Stopped`], [`CopyError::ReadModels`], [`CopyError::MidSwitch`].
///
/// ```
/// # use std::error::Error;
/// # use diesel::prelude::*;
/// # fn main() -> Result<(), Box<dyn Error>> {
/// # let mut shop = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut shop)?;
/// # let mut server = SqliteConnection::establish(":memory:")?;
/// use diesel_event_store::transfer::{Copied, CopyControl, CopyOptions, Next, copy_with};
///
/// /// Follows twice, then moves.
/// struct Mover(u32);
///
/// impl CopyControl for Mover {
///     fn caught_up(&mut self, _so_far: &Copied) -> Next {
///         self.0 += 1;
///         if self.0 > 2 { Next::Switch } else { Next::Follow }
///     }
/// }
///
/// let copied = copy_with(&mut shop, &mut server, &CopyOptions::to("postgres://db/shop"), &mut Mover(0))?;
/// assert_eq!(copied.events(), 0);
/// # Ok(())
/// # }
/// ```
pub fn copy_with<S, T>(
    source: &mut S,
    target: &mut T,
    options: &CopyOptions,
    control: &mut impl CopyControl,
) -> Result<Copied, CopyError>
where
    S: EventConnection + ?Sized,
    T: EventConnection + ?Sized,
{
    options.check()?;
    refuse_transactions(source, target)?;
    run_pending_migrations(target)?;
    let looked = look::look(source, target, options);
    if matches!(looked, Err(CopyError::ArchivedSince { .. })) {
        abandon(source, target, options.patience)?; // does nothing to a log that was to move back
    }
    let (plan, way, chain) = looked?;
    if !plan.is_done() {
        refuse_undecided(plan.projections())?;
    }
    let Some(copier) = Copier::begin(source, target, &plan, (way, chain), options.patience)? else {
        return Ok(plan.done());
    };
    let moved = move_log(copier, options, control);
    if moved.as_ref().is_err_and(is_in_vain) {
        abandon(source, target, options.patience)?;
    }
    moved
}

/// To go on with the same target leads nowhere.
fn is_in_vain(error: &CopyError) -> bool {
    matches!(error, CopyError::Differs(_) | CopyError::Diverged { .. } | CopyError::ArchivedSince { .. })
}

fn move_log<S, T>(
    mut copier: Copier<'_, S, T>,
    options: &CopyOptions,
    control: &mut impl CopyControl,
) -> Result<Copied, CopyError>
where
    S: EventConnection + ?Sized,
    T: EventConnection + ?Sized,
{
    copier.catch_up(control)?;
    loop {
        if copier.is_switching()? {
            match control.resumes_switch() {
                true => break,
                false => return Err(CopyError::MidSwitch),
            }
        }
        let next = control.caught_up(&copier.copied());
        if next == Next::Stop {
            return Err(CopyError::NotSwitched);
        }
        copier.catch_up(control)?; // to be asked takes time
        if next == Next::Switch {
            break;
        }
    }
    copier.switch(options, control)
}

fn refuse_transactions<S, T>(source: &mut S, target: &mut T) -> Result<(), CopyError>
where
    S: EventConnection + ?Sized,
    T: EventConnection + ?Sized,
{
    let is_open = is_in_transaction(source)? || is_in_transaction(target)?;
    if is_open { Err(CopyError::InTransaction) } else { Ok(()) }
}

fn is_in_transaction<C: EventConnection + ?Sized>(conn: &mut C) -> QueryResult<bool> {
    Ok(conn.database().depth()? > 0)
}
