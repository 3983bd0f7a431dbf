use crate::model::repaired::Repaired;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::error::DatabaseError;
use crate::store::EventStore;

impl EventStore {
    /// Sets what has to agree with the events, and returns what it has changed: nothing if all is well. Call
    /// it after events were imported, restored or changed by hand, or after an error of the kind
    /// [`NeedsRepair`](crate::DatabaseErrorKind::NeedsRepair).
    ///
    /// - `aggregate_heads`: a stream that has events is at the version of its last event. A head without
    ///   events stays as it is, so that a stream that was archived or erased continues from its last version.
    /// - The counter of positions: the next append gets a position after the last event. PostgreSQL's
    ///   sequence also counts by one, without a cache and without a cycle. On MySQL and MariaDB the column gets
    ///   its AUTO_INCREMENT back if it was lost.
    /// - The published position of PostgreSQL is not beyond the end of the log.
    /// - The row of `event_log`, if it was lost: the log gets a new id, keeps the ordering that is in force,
    ///   and stays closed if it was. Why it was closed is lost, so it may be open in another database:
    ///   [`unfreeze`](crate::operate::unfreeze()) refuses it, and `transfer::reclaim` opens it. The published
    ///   positions are found again, or published again.
    /// - The two rows of `event_fence` on MySQL and MariaDB, if one was lost or both.
    ///
    /// It waits for the appends that are under way, and new ones wait for it. It reads an index of all
    /// events, so its duration grows with the log.
    ///
    /// Outside a transaction, it begins its own. Inside a transaction of the application it is part of that,
    /// except for the position of PostgreSQL's sequence, which no rollback takes back. In REPEATABLE READ and
    /// SERIALIZABLE PostgreSQL refuses it; MySQL and MariaDB read what is committed now, and keep it locked
    /// until the transaction ends. AUTO_INCREMENT is only given back outside of transactions, because to alter
    /// a table commits. On PostgreSQL, only the owner of the tables can call it.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]: the database refused or failed, and nothing was changed. An AUTO_INCREMENT that was
    /// given back stays. On MySQL and MariaDB it is
    /// [`LogClosed`](crate::DatabaseErrorKind::LogClosed) if the counter of positions is behind what readers
    /// have seen and the log is frozen: [`unfreeze`](crate::operate::unfreeze()) it before.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// // ... events are imported ...
    /// let repaired = EventStore::new().repair(&mut conn)?;
    /// println!("{} heads were set", repaired.heads());
    /// # Ok(())
    /// # }
    /// ```
    pub fn repair<C: EventConnection + ?Sized>(&self, conn: &mut C) -> Result<Repaired, DatabaseError> {
        Ok(conn.database().repair()?)
    }
}
