use crate::error::Error;
use crate::model::ordering::LogOrdering;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::ordering::OrderingError;

/// How the database gives out positions now.
///
/// # Errors
///
/// [`Error::Database`].
///
/// ```
/// # use diesel::prelude::*;
/// # use diesel_event_store::*;
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # run_pending_migrations(&mut conn)?;
/// println!("positions are {:?}", log_ordering(&mut conn)?);
/// # Ok(())
/// # }
/// ```
pub fn log_ordering<C: EventConnection + ?Sized>(conn: &mut C) -> Result<LogOrdering, Error> {
    Ok(conn.database().log_ordering()?)
}

/// Changes how the database gives out positions, for everybody, from now on. What is recorded stays as it is, and readers
/// go on where they are.
///
/// It waits for the appends that are under way, and new ones wait for it, so it may be done while the application runs.
/// Do it once, after the migrations.
///
/// Inside a transaction of the application's it takes effect with the commit, and appends of others wait until then.
///
/// # Errors
///
/// - [`OrderingError::Invalid`]: SQLite has no other ordering than [`Gapless`](LogOrdering::Gapless).
/// - [`OrderingError::Database`]: the ordering is as it was.
///
/// ```
/// # use diesel::prelude::*;
/// # use diesel_event_store::*;
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # run_pending_migrations(&mut conn)?;
/// set_log_ordering(&mut conn, LogOrdering::Gapless)?;
/// # Ok(())
/// # }
/// ```
pub fn set_log_ordering<C: EventConnection + ?Sized>(
    conn: &mut C,
    ordering: LogOrdering,
) -> Result<(), OrderingError> {
    conn.database().set_log_ordering(ordering)
}
