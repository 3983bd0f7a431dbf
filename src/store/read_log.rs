use uuid::Uuid;

use crate::model::event::RecordedEvent;
use crate::model::invalid::check_at_least_one;
use crate::model::log::{LogQuery, LogSlice};
use crate::model::position::Position;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::now::now;
use crate::storage::read::{Read, ReadError};
use crate::storage::rewrites::Rewrites;
use crate::store::EventStore;

impl EventStore {
    /// The next events of the whole log after a position, at most `limit` (1 or more):
    /// [`read_log`](Self::read_log) without a filter.
    ///
    /// A reader that continues after [`scanned_to`](LogSlice::scanned_to) misses no event, whatever is
    /// appended at the same time.
    ///
    /// # Errors
    ///
    /// Those of [`read_log`](Self::read_log).
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// let slice = EventStore::new().read_forward(&mut conn, Position::START, 100)?;
    /// assert!(slice.is_empty() && slice.is_end());
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_forward<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        after: Position,
        limit: usize,
    ) -> Result<LogSlice, ReadError> {
        self.read_log(conn, &LogQuery::after(after), limit)
    }

    /// The last events of the whole log before a position, newest first, at most `limit` (1 or more):
    /// [`read_log`](Self::read_log) without a filter.
    ///
    /// # Errors
    ///
    /// Those of [`read_log`](Self::read_log).
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// let newest = EventStore::new().read_backward(&mut conn, Position::END, 10)?;
    /// assert!(newest.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_backward<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        before: Position,
        limit: usize,
    ) -> Result<LogSlice, ReadError> {
        self.read_log(conn, &LogQuery::before(before), limit)
    }

    /// Events of the whole log, at most `limit` (1 or more) and [`max_bytes`](LogQuery::max_bytes) at a time;
    /// see [`LogQuery`]. A slice may be shorter than both: [`is_end`](LogSlice::is_end) says whether there is
    /// more.
    ///
    /// The log is for events that are committed. A transaction that appends and then reads the log finds its
    /// own events there on SQLite, and does not on the servers: read them with
    /// [`read_stream`](Self::read_stream), and save no checkpoint for them outside that transaction.
    ///
    /// **On MySQL** inside a transaction, and **on PostgreSQL** inside one in REPEATABLE READ or
    /// SERIALIZABLE, the log is read up to the position that was published last.
    /// [`publish_position`](Self::publish_position) publishes it, and on MySQL so does every read of the log
    /// outside a transaction. So read the log outside the transaction, and apply the events inside it.
    ///
    /// # Errors
    ///
    /// - [`ReadError::Invalid`]: a limit or `max_bytes` of 0, a filter that names nothing.
    /// - [`ReadError::Archived`]: events after that position were archived, and the query does not ask for
    ///   what is [left](LogQuery::without_archived).
    /// - [`ReadError::Database`]: the database refused or failed.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// let users = LogQuery::after(Position::START).aggregate_types(["User"]);
    /// let slice = EventStore::new().read_log(&mut conn, &users, 100)?;
    /// assert!(slice.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_log<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        query: &LogQuery,
        limit: usize,
    ) -> Result<LogSlice, ReadError> {
        now(read_log(&mut conn.database(), query, limit))
    }

    /// The event with this id, if there is one.
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
    /// let id = uuid::Uuid::from_u128(7);
    /// assert_eq!(EventStore::new().read_event(&mut conn, id)?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_event<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        event_id: Uuid,
    ) -> Result<Option<RecordedEvent>, ReadError> {
        Ok(conn.database().read_event(event_id)?)
    }

    /// The position of the last event that was [archived](crate::guide::archiving); [`Position::START`] if
    /// none was. The log is complete after it.
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
    /// let store = EventStore::new();
    /// let archived_to = store.archived_to(&mut conn)?;
    /// let everything_else = store.iter_log(&mut conn, LogQuery::after(archived_to));
    /// # Ok(())
    /// # }
    /// ```
    pub fn archived_to<C: EventConnection + ?Sized>(&self, conn: &mut C) -> Result<Position, ReadError> {
        Ok(conn.database().archived_to()?)
    }

    /// The position up to which the log can be read now; [`Position::START`] if it is empty. Inside a
    /// transaction on MySQL and MariaDB, and inside one in REPEATABLE READ or SERIALIZABLE on PostgreSQL, it
    /// is the position that was [published](Self::publish_position) last, which may lie further back; if none
    /// was, the error is [`NotPublished`](crate::DatabaseErrorKind::NotPublished).
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
    /// assert_eq!(EventStore::new().last_position(&mut conn)?, Position::START);
    /// # Ok(())
    /// # }
    /// ```
    pub fn last_position<C: EventConnection + ?Sized>(&self, conn: &mut C) -> Result<Position, ReadError> {
        Ok(conn.database().last_position()?)
    }
}

pub(crate) async fn read_log<D: Read + Rewrites>(
    database: &mut D,
    query: &LogQuery,
    limit: usize,
) -> Result<LogSlice, ReadError> {
    let limit = check_at_least_one("limit", limit)?;
    query.validate()?;
    let slice = database.read_log(query, limit).await?;
    if query.asks_for_archived() && has_gaps(&slice, query.from) {
        refuse_archived(database, query).await?;
    }
    Ok(slice)
}

/// Nothing is missing from a page that has an event at each position, as nearly all have.
fn has_gaps(slice: &LogSlice, from: Position) -> bool {
    slice.scanned_to().get() - from.get() > i64::try_from(slice.len()).unwrap_or(i64::MAX)
}

/// Asked after the events were read: what is archived later was among them.
async fn refuse_archived<D: Rewrites>(database: &mut D, query: &LogQuery) -> Result<(), ReadError> {
    let archived_to = database.archived_to().await?;
    match query.lacks(archived_to) {
        true => Err(ReadError::Archived { after: query.from, archived_to }),
        false => Ok(()),
    }
}
