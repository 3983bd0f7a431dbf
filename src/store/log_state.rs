use uuid::Uuid;

use crate::model::log_state::LogClosed;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::error::DatabaseError;
use crate::store::EventStore;

impl EventStore {
    /// The id of the log: random, given once, and taken along when the log moves to another database. A copy
    /// that is restored from a backup has it, too.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]: the database refused or failed.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// let store = EventStore::new();
    /// assert_eq!(store.log_id(&mut conn)?, store.log_id(&mut conn)?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn log_id<C: EventConnection + ?Sized>(&self, conn: &mut C) -> Result<Uuid, DatabaseError> {
        Ok(conn.database().log_row()?.log_id)
    }

    /// Why the log takes no events; `None` if it is open, as it is nearly always. Every append to a closed
    /// log fails with [`AppendError::LogClosed`](crate::AppendError::LogClosed), and has written nothing.
    ///
    /// Inside a transaction of the application it is what the transaction's snapshot shows.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]: the database refused or failed.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// if let Some(closed) = EventStore::new().log_closed(&mut conn)? {
    ///     println!("{}: {}", closed.state(), closed.note());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn log_closed<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
    ) -> Result<Option<LogClosed>, DatabaseError> {
        Ok(conn.database().log_row()?.closed())
    }
}
