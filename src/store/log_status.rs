use chrono::Utc;

use crate::model::log_status::{LogHolder, LogStatus};
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::log_holders::LogHolders;
use crate::storage::now::now;
use crate::storage::places::Places;
use crate::storage::read::{Read, ReadError};
use crate::store::EventStore;

impl EventStore {
    /// How far the log can be read, how far events are committed, and which writers hold back what lies
    /// between. It takes two statements, and two more while something is held back.
    ///
    /// While many append at the same time, a few positions are held back at most moments, each for as long as
    /// a transaction takes. [`LogStatus::is_stalled`] says when it is too long. Inside a transaction the same
    /// holds as for [`last_position`](Self::last_position), so call it outside.
    ///
    /// # Errors
    ///
    /// [`ReadError::Database`]: the database refused or failed.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// let log = EventStore::new().log_status(&mut conn)?;
    /// for holder in log.held_back_by() {
    ///     println!("process {:?} has appended and not committed since {:?}", holder.process(), holder.since());
    /// }
    /// assert_eq!(log.positions_held_back(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn log_status<C: EventConnection + ?Sized>(&self, conn: &mut C) -> Result<LogStatus, ReadError> {
        now(log_status(&mut conn.database()))
    }
}

pub(crate) async fn log_status<D: Read + LogHolders + Places>(
    database: &mut D,
) -> Result<LogStatus, ReadError> {
    // In this order, so that what is committed in between is not taken for held back.
    let last_committed = database.last_committed_position().await?;
    let last_readable = database.last_position().await?;
    let mut status = LogStatus {
        last_readable,
        last_committed: last_committed.max(last_readable),
        held_back_since: None,
        held_back_by: Vec::new(),
        taken_at: Utc::now(),
    };
    if status.positions_held_back() > 0 {
        find_holders(database, &mut status).await?;
    }
    Ok(status)
}

async fn find_holders<D: LogHolders + Places>(
    database: &mut D,
    status: &mut LogStatus,
) -> Result<(), ReadError> {
    status.held_back_by = database.log_holders(status.last_committed).await?;
    let oldest = status.held_back_by.iter().filter_map(LogHolder::since).min();
    status.held_back_since = match oldest {
        Some(oldest) => Some(oldest),
        None => database.created_after(status.last_readable).await?,
    };
    Ok(())
}
