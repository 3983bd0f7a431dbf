use chrono::{DateTime, Utc};

use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::error::DatabaseError;
use crate::store::EventStore;

impl EventStore {
    /// Deletes the [idempotency keys](crate::AppendBatch::idempotency_key) that were used before this time,
    /// of all tenants, and returns how many they were. Nothing else lets keys expire. Any time is allowed:
    /// `DateTime::<Utc>::MAX_UTC` deletes all.
    ///
    /// A request that is repeated after its key was deleted is carried out a second time, so keep keys for
    /// longer than any client repeats a request: a day or more. The time of a key is that of the
    /// application's clock when it was used.
    ///
    /// Outside a transaction, it begins its own; inside a transaction of the application it is part of that.
    /// On SQLite and PostgreSQL it reads the whole table `append_keys`, on MySQL and MariaDB an index.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]: the database refused or failed, and nothing was deleted.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// let a_week_ago = chrono::Utc::now() - Duration::from_secs(7 * 24 * 60 * 60);
    /// let deleted = EventStore::new().delete_keys_before(&mut conn, a_week_ago)?;
    /// assert_eq!(deleted, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_keys_before<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        time: DateTime<Utc>,
    ) -> Result<usize, DatabaseError> {
        Ok(conn.database().delete_keys_before(time)?)
    }
}
