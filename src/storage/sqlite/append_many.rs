use diesel::sqlite::SqliteConnection;

use super::append::{duplicate, write};
use super::error::is_duplicate_event_id;
use super::read;
use super::transactions::all_or_nothing;
use crate::storage::append::{AppendError, Placement};
use crate::storage::append_many::{AppendMany, WholeBatch, Written};
use crate::storage::lent;
use crate::storage::now::now;
use crate::storage::sql::keys::use_key;

impl AppendMany for lent::Sqlite<'_> {
    async fn append_batch(&mut self, whole: &WholeBatch<'_>) -> Result<Written, AppendError> {
        all_or_nothing(self.0, |conn| write_all(conn, whole))
            .map_err(|error| name_duplicate(self.0, whole, error))
    }
}

fn write_all(conn: &mut SqliteConnection, whole: &WholeBatch<'_>) -> Result<Written, AppendError> {
    if let Some(key) = &whole.key {
        if let Some(append) = now(use_key(conn, key))? {
            return Ok(Written::Before(append));
        }
    }
    write_streams(conn, whole).map(Written::Now)
}

/// The guards come last. By then the first head that moved has taken the write lock, so the version that a
/// guard reads is the newest.
fn write_streams(conn: &mut SqliteConnection, whole: &WholeBatch<'_>) -> Result<Vec<Placement>, AppendError> {
    let mut placements = Vec::with_capacity(whole.streams.len());
    for (nth, batch) in whole.streams.iter().enumerate() {
        placements.push(write(conn, batch).map_err(|error| whole.counted(nth, error))?);
    }
    for guard in whole.guards {
        guard.check(read::version(conn, &guard.stream)?)?;
    }
    Ok(placements)
}

/// SQLite says that an id is recorded already, but not which one.
fn name_duplicate(conn: &mut SqliteConnection, whole: &WholeBatch<'_>, error: AppendError) -> AppendError {
    let AppendError::Database(database_error) = &error else { return error };
    if !is_duplicate_event_id(database_error.diesel_error()) {
        return error;
    }
    for (nth, batch) in whole.streams.iter().enumerate() {
        if let Ok(Some(duplicate)) = duplicate(conn, batch) {
            return whole.counted(nth, duplicate);
        }
    }
    error
}
