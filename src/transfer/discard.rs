use diesel::result::QueryResult;
use uuid::Uuid;

use super::error::ImportError;
use super::note::Note;
use super::receiver::replace;
use crate::model::log_state::{LogClosed, LogState};
use crate::model::position::Position;
use crate::storage::connection::{EventConnection, HasDatabase};

/// Takes back an import or a [`copy`](super::copy()) that has not come to its end: the store is empty and
/// open again, as another log. What is complete, it does not touch: `false` if none is under way.
///
/// It removes the events past the triggers that keep them, with the rights of the tables' owner. The
/// connection must not be in a transaction. If it is killed, call it again. On MySQL and MariaDB, where it
/// empties one table after the other, never call it twice at the same time.
///
/// # Errors
///
/// [`ImportError::LogClosed`] if the log is frozen; [`ImportError::HadEvents`] if it had events when the copy
/// began, or may have had; [`ImportError::Overtaken`] if another process has just gone on with what fills it,
/// or opened it; [`ImportError::InTransaction`]; or the database has refused.
///
/// ```
/// # use diesel::prelude::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// assert!(!diesel_event_store::transfer::discard(&mut conn)?); // nothing to take back
/// # Ok(())
/// # }
/// ```
pub fn discard<C: EventConnection + ?Sized>(conn: &mut C) -> Result<bool, ImportError> {
    if conn.database().depth()? > 0 {
        return Err(ImportError::InTransaction);
    }
    let row = conn.database().log_row()?;
    match row.state {
        LogState::Receiving => {
            if !was_empty(conn, row.note.as_deref())? {
                return Err(ImportError::HadEvents);
            }
            // Whoever still fills it is overtaken now, and does not open it.
            replace(conn, &row.note.unwrap_or_default(), &Note::of_discard().text(), |_| Ok(()))?;
            conn.database().discard(Uuid::now_v7())?;
            Ok(true)
        }
        LogState::Open => Ok(false),
        state => Err(LogClosed { state, note: row.note.unwrap_or_default() }.into()),
    }
}

/// Whether the log had no events before it was filled. If nobody knows any more, it must have none now.
fn was_empty<C: EventConnection + ?Sized>(conn: &mut C, note: Option<&str>) -> QueryResult<bool> {
    match note.and_then(Note::read) {
        Some(note) => Ok(note.copied().is_none_or(|copied| copied.had == Position::START)),
        None => Ok(conn.database().last_committed_position()? == Position::START),
    }
}
