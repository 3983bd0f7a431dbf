use std::time::{Duration, Instant};

use super::error::FreezeError;
use super::note::{has_moved, is_lost, note};
use super::patiently::patiently;
use crate::model::invalid::check_name;
use crate::model::log_state::{LogClosed, LogState};
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::log_state::LogRow;

/// Freezes a log: once it returns, no connection appends an event any more, whatever it has prepared, until
/// the log is [`unfreeze`]d. `false` if it was frozen already; its reason stays.
///
/// It waits for the transactions that have appended and not ended, for as long as `patience` says; what they
/// commit is in the log. `Duration::ZERO` is one attempt. Appends that begin meanwhile wait behind an attempt
/// for at most 0.2 s (on MySQL and MariaDB 1 s, the least that can be set), and go on between two.
///
/// Every later append fails with [`AppendError::LogClosed`](crate::AppendError::LogClosed), which carries
/// `reason` and when it was frozen as JSON. What it is part of can be rolled back; nothing else is lost. The
/// log can be read, and projections go on. A handler that appends has not failed: its partition waits, which
/// [`projection::status`](crate::projection::status()) tells, and goes on when the log is open again.
///
/// The connection must not be in a transaction.
///
/// | database | what keeps events out | in the way |
/// |---|---|---|
/// | SQLite | a trigger | a transaction that writes, whatever it writes |
/// | PostgreSQL | a trigger; only the owner of the tables can create it | transactions that have appended, prepared ones too, and a VACUUM of `events` |
/// | MySQL, MariaDB | the state in `event_fence`, and a trigger for what is inserted by SQL, which takes the privileges of the migrations | transactions that have appended, XA ones too, and that have read events: the trigger waits for these |
///
/// If it is killed on MySQL or MariaDB, the log may be frozen without the trigger. Run it again. If another
/// connection opens the log at the same time, the trigger may be left on a log that is open: [`unfreeze`] drops
/// it.
///
/// # Errors
///
/// The log is as it was then.
///
/// - [`FreezeError::InTheWay`]: transactions did not end in time, and which.
/// - [`FreezeError::LogClosed`]: an import or a copy fills the log.
/// - [`FreezeError::Invalid`]: `reason` is empty, longer than [`MAX_NAME_LENGTH`](crate::MAX_NAME_LENGTH)
///   characters, or has a control character.
/// - [`FreezeError::InTransaction`], [`FreezeError::Database`].
///
/// ```
/// use std::time::Duration;
///
/// use diesel::prelude::*;
/// use diesel_event_store::operate::{freeze, unfreeze};
/// use diesel_event_store::{AppendError, EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # let (store, order) = (EventStore::new(), StreamId::new("Order", 1042)?);
/// # let placed = [NewEvent::new("OrderPlaced", &7)?];
/// freeze(&mut conn, "it moves to postgres://db/shop", Duration::from_secs(30))?;
/// match store.append(&mut conn, &order, ExpectedVersion::Any, &placed) {
///     Err(AppendError::LogClosed(closed)) => assert!(closed.note().contains("postgres://db/shop")),
///     other => panic!("{other:?}"),
/// }
/// unfreeze(&mut conn, Duration::from_secs(30))?;
/// store.append(&mut conn, &order, ExpectedVersion::Any, &placed)?;
/// # Ok(())
/// # }
/// ```
pub fn freeze<C>(conn: &mut C, reason: &str, patience: Duration) -> Result<bool, FreezeError>
where
    C: EventConnection + ?Sized,
{
    check_name("reason", reason)?;
    freeze_with(conn, note(reason), patience)
}

/// The note says why.
pub(crate) fn freeze_with<C>(conn: &mut C, note: String, patience: Duration) -> Result<bool, FreezeError>
where
    C: EventConnection + ?Sized,
{
    refuse_transaction(conn)?;
    patiently(conn, patience, |conn| Ok(conn.database().freeze(&note)?))?;
    let LogRow { state, note: found, .. } = conn.database().log_row()?;
    match state {
        LogState::Receiving => Err(LogClosed { state, note: found.unwrap_or_default() }.into()),
        _ => Ok(found == Some(note)),
    }
}

/// Lets appends to a frozen log begin again. `false` if it was open.
///
/// A log that has [moved](crate::guide::moving) is refused: two logs that are both open have different events
/// from then on. A copy that is in the middle of its switch is taken back: workers get back the partitions that
/// it took from them, and it does not open its target.
///
/// It waits as [`freeze`] does, on PostgreSQL, MySQL and MariaDB also for transactions that have only read
/// events, a backup for instance.
///
/// # Errors
///
/// The log is as it was then. [`FreezeError::LogClosed`]: an import or a copy fills the log.
/// [`FreezeError::HasMoved`]: it is open in another database. [`FreezeError::MayHaveMoved`]: nobody knows
/// whether it is. The others are those of [`freeze`].
///
/// ```
/// # use std::time::Duration;
/// # use diesel::prelude::*;
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// assert!(!diesel_event_store::operate::unfreeze(&mut conn, Duration::from_secs(30))?); // it was open
/// # Ok(())
/// # }
/// ```
pub fn unfreeze<C>(conn: &mut C, patience: Duration) -> Result<bool, FreezeError>
where
    C: EventConnection + ?Sized,
{
    unfreeze_if(conn, patience, may_be_opened)
}

/// Never are two logs open.
fn may_be_opened(closed: &LogClosed) -> Result<(), FreezeError> {
    match closed.note() {
        note if is_lost(note) => Err(FreezeError::MayHaveMoved(closed.clone())),
        note if has_moved(note) => Err(FreezeError::HasMoved(closed.clone())),
        _ => Ok(()),
    }
}

/// `refuse` is asked about a log that is closed.
pub(crate) fn unfreeze_if<C: EventConnection + ?Sized>(
    conn: &mut C,
    patience: Duration,
    refuse: impl Fn(&LogClosed) -> Result<(), FreezeError>,
) -> Result<bool, FreezeError> {
    refuse_transaction(conn)?;
    let begin = Instant::now();
    while let Some(closed) = conn.database().log_row()?.closed() {
        refuse(&closed)?;
        if closed.state != LogState::Frozen {
            return Err(closed.into());
        }
        if patiently(conn, patience, |conn| Ok(conn.database().unfreeze(&closed.note)?))? {
            return Ok(true);
        }
        // It was closed anew meanwhile, so the new note is asked about.
        let waited = begin.elapsed();
        if waited > patience {
            return Err(FreezeError::InTheWay { waited, by: Vec::new() });
        }
    }
    patiently(conn, patience, |conn| Ok(conn.database().settle()?))?;
    Ok(false)
}

fn refuse_transaction<C: EventConnection + ?Sized>(conn: &mut C) -> Result<(), FreezeError> {
    if conn.database().depth()? > 0 { Err(FreezeError::InTransaction) } else { Ok(()) }
}
