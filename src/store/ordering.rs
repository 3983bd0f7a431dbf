use crate::model::ordering::LogOrdering;
use crate::model::position::Position;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::ordering::OrderingError;
use crate::storage::read::ReadError;
use crate::store::EventStore;

impl EventStore {
    /// How the database assigns positions now.
    ///
    /// # Errors
    ///
    /// [`OrderingError::Database`]: the database refused or failed.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// assert_eq!(EventStore::new().log_ordering(&mut conn)?, LogOrdering::Gapless);
    /// # Ok(())
    /// # }
    /// ```
    pub fn log_ordering<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
    ) -> Result<LogOrdering, OrderingError> {
        Ok(conn.database().log_ordering()?)
    }

    /// Changes how the database assigns positions, for every connection, from now on. Recorded events stay as
    /// they are, and readers continue from where they are.
    ///
    /// It waits for the appends that are under way, and new ones wait for it, so it can be called while the
    /// application runs. Call it once, after the migrations.
    ///
    /// Inside a transaction of the application it takes effect with the commit, and appends of other
    /// connections wait until then. On PostgreSQL only the owner of the tables may call it.
    ///
    /// # Errors
    ///
    /// After an error the ordering is as it was.
    ///
    /// - [`OrderingError::Invalid`]: SQLite has no other ordering than [`Gapless`](LogOrdering::Gapless).
    /// - [`OrderingError::Database`]: the database refused or failed.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// EventStore::new().set_log_ordering(&mut conn, LogOrdering::Gapless)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_log_ordering<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        ordering: LogOrdering,
    ) -> Result<(), OrderingError> {
        conn.database().set_log_ordering(ordering)
    }

    /// Publishes the position up to which the log is complete, for readers that cannot find it out
    /// themselves, and returns it.
    ///
    /// Most applications do not need it. Call it on the primary, now and then, for readers on a hot standby
    /// or a replica; on PostgreSQL also for transactions in REPEATABLE READ or SERIALIZABLE, on MySQL for any
    /// transaction that reads the log. They read the log up to the position that was published last, and miss
    /// nothing. SQLite has no such readers; there it only returns the last position.
    ///
    /// Outside a transaction, it publishes at once. Inside a transaction of the application, PostgreSQL
    /// publishes with the commit; on MySQL the position cannot be found out there, and the one that is
    /// already published is returned.
    ///
    /// # Errors
    ///
    /// [`ReadError::Database`]: the database refused or failed, for instance because it is a standby.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// let published = EventStore::new().publish_position(&mut conn)?;
    /// assert_eq!(published, Position::START);
    /// # Ok(())
    /// # }
    /// ```
    pub fn publish_position<C: EventConnection + ?Sized>(&self, conn: &mut C) -> Result<Position, ReadError> {
        Ok(conn.database().publish_position()?)
    }
}
