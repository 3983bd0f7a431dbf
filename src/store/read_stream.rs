use crate::model::direction::Direction;
use crate::model::invalid::check_at_least_one;
use crate::model::stream::{StreamPart, StreamQuery, StreamSlice};
use crate::model::stream_id::StreamId;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::now::now;
use crate::storage::read::{Read, ReadError};
use crate::storage::stream_page::StreamPage;
use crate::store::EventStore;

impl EventStore {
    /// The version of a stream: that of its last event, 0 if it has none. The events are not read.
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
    /// let version = EventStore::new().version(&mut conn, &StreamId::new("User", "nobody")?)?;
    /// assert_eq!(version, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn version<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        stream: &StreamId,
    ) -> Result<i64, ReadError> {
        Ok(conn.database().version(stream)?)
    }

    /// The version of the first event that a stream has: 1, or a later one if earlier events were
    /// [archived](crate::guide::archiving). If all were, it is the version that the next event will have.
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
    /// let first = EventStore::new().first_version(&mut conn, &StreamId::new("User", "nobody")?)?;
    /// assert_eq!(first, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn first_version<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        stream: &StreamId,
    ) -> Result<i64, ReadError> {
        Ok(conn.database().first_version(stream)?)
    }

    /// The events of one stream: all of them (`..`), from or to a version (`5..`, `..=9`), backward, or a
    /// page at a time; see [`StreamQuery`].
    ///
    /// A stream without events is empty and at version 0; that is not an error. Nor is it one if events were
    /// [archived](crate::guide::archiving): [`first_version`](Self::first_version) says so. Where events were
    /// erased by hand, those that are left are read. Inside a transaction, the read sees what the transaction
    /// has appended.
    ///
    /// # Errors
    ///
    /// - [`ReadError::Invalid`]: a version below 0, a range that ends before it begins, a limit of 0.
    /// - [`ReadError::Database`]: the database refused or failed.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// let store = EventStore::new();
    /// let alice = StreamId::new("User", "alice")?;
    /// store.append(&mut conn, &alice, ExpectedVersion::Any, &[NewEvent::new("UserCreated", &())?])?;
    /// let stream = store.read_stream(&mut conn, &alice, ..)?;
    /// assert_eq!(stream.events()[0].event_type(), "UserCreated");
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_stream<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        stream: &StreamId,
        query: impl Into<StreamQuery>,
    ) -> Result<StreamSlice, ReadError> {
        now(read_stream(&mut conn.database(), stream, &query.into()))
    }
}

pub(crate) async fn read_stream<D: Read + StreamPage>(
    database: &mut D,
    stream: &StreamId,
    query: &StreamQuery,
) -> Result<StreamSlice, ReadError> {
    query.validate()?;
    let part = StreamPart { from: query.from, to: query.to, direction: query.direction };
    let events = match query.limit {
        None => database.read_stream(stream, part).await?,
        Some(limit) => database.stream_page(stream, part, check_at_least_one("limit", limit)?).await?,
    };
    let highest = match part.direction {
        Direction::Forward => events.last(),
        Direction::Backward => events.first(),
    };
    let version = match highest {
        Some(event) => event.version(),
        // The range was empty when it was read. The caller has not seen what was appended since.
        None => database.version(stream).await?.min((part.from - 1).max(0)),
    };
    Ok(StreamSlice { version, events })
}
