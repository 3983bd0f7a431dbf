pub(crate) mod append;
pub(crate) mod checkpoints;
pub(crate) mod iter;
pub(crate) mod migrations;
pub(crate) mod ordering;
pub(crate) mod read_log;
pub(crate) mod read_stream;
pub(crate) mod wake;

use uuid::Uuid;

use crate::model::appended::Appended;
use crate::model::checkpoint::Checkpoint;
use crate::model::event::{NewEvent, RecordedEvent};
use crate::model::expected_version::ExpectedVersion;
use crate::model::log::{LogQuery, LogSlice};
use crate::model::position::Position;
use crate::model::stream::{StreamQuery, StreamSlice};
use crate::model::stream_id::StreamId;
use crate::storage::append::AppendError;
use crate::storage::checkpoints::CheckpointError;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::read::ReadError;
use crate::store::iter::EventIter;

/// The largest payload or metadata unless [`EventStore::max_json_bytes`] says otherwise: 16 MiB.
pub const DEFAULT_MAX_JSON_BYTES: usize = 16 * 1024 * 1024;

/// Appends and reads events, on a connection that the application lends for the call.
///
/// It holds options, never a connection, and is cheap to copy. Every method works alone, and inside a transaction that
/// the application has open on the same connection: what it writes is then committed or rolled back with that
/// transaction.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// diesel_event_store::run_pending_migrations(&mut conn)?;
///
/// let store = EventStore::new();
/// let alice = StreamId::new("User", "alice")?;
/// let created = NewEvent::new("UserCreated", &"alice@example.com")?;
/// store.append(&mut conn, &alice, ExpectedVersion::NoStream, &[created])?;
/// assert_eq!(store.version(&mut conn, &alice)?, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventStore {
    pub(crate) max_json_bytes: usize,
}

impl Default for EventStore {
    fn default() -> Self {
        Self::new()
    }
}

impl EventStore {
    /// A store with the default options.
    ///
    /// ```
    /// # use diesel_event_store::EventStore;
    /// let store = EventStore::new();
    /// ```
    pub const fn new() -> Self {
        Self { max_json_bytes: DEFAULT_MAX_JSON_BYTES }
    }

    /// The largest payload, and the largest metadata, that [`append`](Self::append) takes, in bytes of JSON text:
    /// [`DEFAULT_MAX_JSON_BYTES`] unless it is given. SQLite itself holds no text above 1,000,000,000 bytes.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::{AppendError, EventStore, ExpectedVersion, NewEvent, StreamId};
    ///
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// # let document = StreamId::new("Document", 1)?;
    /// let store = EventStore::new().max_json_bytes(1024);
    /// let large = [NewEvent::new("Written", &"x".repeat(2000))?];
    /// let refused = store.append(&mut conn, &document, ExpectedVersion::Any, &large);
    /// assert!(matches!(refused, Err(AppendError::Invalid(invalid)) if invalid.field() == "payload"));
    /// # Ok(())
    /// # }
    /// ```
    pub const fn max_json_bytes(self, max_json_bytes: usize) -> Self {
        Self { max_json_bytes }
    }

    /// Appends events to a stream, all or none, if the stream is where it is expected to be.
    ///
    /// Alone, it runs in a transaction of its own: once it returns `Ok` the events are as durable as the database's
    /// settings make any commit. Inside a transaction of the application's, the events are committed or rolled back with
    /// it, and several streams can be appended to in one transaction.
    ///
    /// **After an error** nothing of the append is in the database. Inside the application's transaction, everything
    /// else the transaction did is still there, and it can go on and commit: the append runs in a savepoint. The
    /// exception is a failure of the disk ([`Full`](crate::DatabaseErrorKind::Full),
    /// [`Io`](crate::DatabaseErrorKind::Io)), where SQLite may have rolled back the whole transaction: leave the
    /// outermost transaction then.
    ///
    /// **On SQLite** there is one writer at a time. Alone, the append waits for its turn as long as the connection's
    /// `busy_timeout` says. A transaction that reads before it appends should begin with `immediate_transaction`: a
    /// deferred one that has read cannot wait for its turn, and fails with
    /// [`Locked`](crate::DatabaseErrorKind::Locked) if somebody else has written since.
    ///
    /// **On PostgreSQL and MySQL** appends wait for each other only if they are to the same aggregate. One that the
    /// database ends so that another can go on is a [`Deadlock`](crate::DatabaseErrorKind::Deadlock): inside a
    /// transaction of the application's, leave the outermost and run it again. On PostgreSQL such an error, or an id that
    /// somebody else records at the very same moment, aborts the transaction, as any error of the database's does
    /// there.
    ///
    /// # Errors
    ///
    /// - [`Conflict`](AppendError::Conflict): the stream is at another version than expected.
    /// - [`DuplicateEventId`](AppendError::DuplicateEventId): an event with one of the ids is there already.
    /// - [`Invalid`](AppendError::Invalid): no events, or one of them cannot be kept; the error names the field and
    ///   the limit.
    /// - [`Database`](AppendError::Database): the database refused;
    ///   [`is_retryable`](AppendError::is_retryable) tells whether to try again.
    ///
    /// # Example
    ///
    /// The application's own row and the event are committed together:
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::{Error, EventStore, ExpectedVersion, NewEvent, StreamId};
    ///
    /// # fn main() -> Result<(), Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// # diesel::sql_query("CREATE TABLE users (name TEXT NOT NULL)").execute(&mut conn)?;
    /// let store = EventStore::new();
    /// let alice = StreamId::new("User", "alice")?;
    /// conn.immediate_transaction::<_, Error, _>(|conn| {
    ///     diesel::sql_query("INSERT INTO users VALUES ('alice')").execute(conn)?;
    ///     let created = NewEvent::new("UserCreated", &"alice@example.com")?;
    ///     store.append(conn, &alice, ExpectedVersion::NoStream, &[created])?;
    ///     Ok(())
    /// })?;
    /// assert_eq!(store.version(&mut conn, &alice)?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn append<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        stream: &StreamId,
        expected: ExpectedVersion,
        events: &[NewEvent],
    ) -> Result<Appended, AppendError> {
        let appended = append::append(conn.database(), self.max_json_bytes, stream, expected, events)?;
        wake::hint();
        Ok(appended)
    }

    /// The version of an aggregate, 0 if it has no events. Its events are not read.
    ///
    /// # Errors
    ///
    /// [`ReadError::Database`].
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

    /// The events of one aggregate: all of them (`..`), from or to a version (`5..`, `..=9`), backward, or a page at a
    /// time; see [`StreamQuery`].
    ///
    /// An aggregate without events is an empty stream at version 0, not an error. Inside a transaction, what was
    /// appended in it is seen.
    ///
    /// # Errors
    ///
    /// - [`ReadError::Invalid`]: a version below 0, a range that ends before it begins, a limit of 0.
    /// - [`ReadError::Database`].
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
        read_stream::read(conn.database(), stream, &query.into())
    }

    /// The events of one aggregate as an iterator, which holds only a page of them in memory at a time.
    ///
    /// # Errors
    ///
    /// Those of [`read_stream`](Self::read_stream), as an item, which is then the last.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// # let (store, alice) = (EventStore::new(), StreamId::new("User", "alice")?);
    /// for event in store.iter_stream(&mut conn, &alice, ..) {
    ///     println!("{}", event?.event_type());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter_stream<'c, C: EventConnection + ?Sized>(
        &self,
        conn: &'c mut C,
        stream: &StreamId,
        query: impl Into<StreamQuery>,
    ) -> EventIter<'c> {
        iter::iter_stream(conn, stream.clone(), query.into())
    }

    /// The next events of the whole log after a position, at most `limit` (1 or more): short for
    /// [`read_log`](Self::read_log) without a filter.
    ///
    /// A reader that goes on after [`scanned_to`](LogSlice::scanned_to) misses no event, whatever writers do.
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

    /// The last events of the whole log before a position, newest first, at most `limit` (1 or more): short for
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

    /// Events of the whole log, at most `limit` (1 or more) at a time; see [`LogQuery`].
    ///
    /// The log is for events that are committed. A transaction that reads the log after an append of its own may or may
    /// not find its own events in it (on SQLite it does, on the servers it does not): use
    /// [`read_stream`](Self::read_stream) for those, and save no checkpoint for them outside that transaction.
    ///
    /// **On MySQL**, inside a transaction, and **on PostgreSQL** inside one in REPEATABLE READ or SERIALIZABLE, the log is
    /// read up to the position that was published last: on MySQL by whoever read it outside of a transaction, on
    /// both by [`publish_position`](Self::publish_position). So read the log outside, and apply it inside.
    ///
    /// # Errors
    ///
    /// - [`ReadError::Invalid`]: a limit of 0, a filter that names nothing.
    /// - [`ReadError::Database`].
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
        read_log::read(conn.database(), query, limit)
    }

    /// Events of the whole log as an iterator, which holds only a page of them in memory at a time.
    ///
    /// # Errors
    ///
    /// Those of [`read_log`](Self::read_log), as an item, which is then the last.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// # let store = EventStore::new();
    /// for event in store.iter_log(&mut conn, LogQuery::after(Position::START)) {
    ///     println!("{}", event?.position());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter_log<'c, C: EventConnection + ?Sized>(
        &self,
        conn: &'c mut C,
        query: LogQuery,
    ) -> EventIter<'c> {
        iter::iter_log(conn, query)
    }

    /// The event with this id, if there is one.
    ///
    /// # Errors
    ///
    /// [`ReadError::Database`].
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

    /// The position up to which the log can be read now; [`Position::START`] if it is empty.
    ///
    /// # Errors
    ///
    /// [`ReadError::Database`].
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

    /// Makes the position up to which the log is complete known to readers that cannot find it out themselves, and returns
    /// it.
    ///
    /// Most applications do not need it. Call it on the primary, now and then, for readers on a hot standby or a replica;
    /// on PostgreSQL also for transactions in REPEATABLE READ or SERIALIZABLE, on MySQL for any transaction that reads the
    /// log. They read it up to the position that was published last, and miss nothing. SQLite has no such readers: it does
    /// nothing there.
    ///
    /// Alone, it is published at once. Inside a transaction of the application's it is published with the commit on
    /// PostgreSQL; on MySQL it cannot be found out there, and what is published already is returned.
    ///
    /// # Errors
    ///
    /// [`ReadError::Database`], on a standby for instance.
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

    /// The checkpoint of a projection, if it has one.
    ///
    /// # Errors
    ///
    /// - [`CheckpointError::Invalid`]: a name that cannot be kept.
    /// - [`CheckpointError::Database`].
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// let store = EventStore::new();
    /// let done = store.checkpoint(&mut conn, "mailing list")?.map_or(Position::START, |c| c.position());
    /// assert_eq!(done, Position::START);
    /// # Ok(())
    /// # }
    /// ```
    pub fn checkpoint<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        projection_name: &str,
    ) -> Result<Option<Checkpoint>, CheckpointError> {
        checkpoints::load(conn.database(), projection_name)
    }

    /// All checkpoints, in the order of their projections' names.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Database`].
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// for checkpoint in EventStore::new().checkpoints(&mut conn)? {
    ///     println!("{} is at {}", checkpoint.projection_name(), checkpoint.position());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn checkpoints<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
    ) -> Result<Vec<Checkpoint>, CheckpointError> {
        Ok(conn.database().checkpoints()?)
    }

    /// Moves a projection's checkpoint forward, or creates it. It is never moved backward.
    ///
    /// Save it in the transaction that writes the read model's rows: the rows and the checkpoint are then committed
    /// together, and each event is applied once. Saving the same position again is no error, so two workers of one
    /// projection must not run at once: on SQLite `immediate_transaction` around reading and saving keeps them apart,
    /// on the servers a lock of your own does.
    ///
    /// # Errors
    ///
    /// - [`CheckpointError::Backward`]: it lies further on already, so somebody else has applied these events. Roll
    ///   the transaction back.
    /// - [`CheckpointError::Invalid`]: a name that cannot be kept.
    /// - [`CheckpointError::Database`].
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::{Error, EventStore, LogQuery, Position};
    ///
    /// # fn main() -> Result<(), Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// let store = EventStore::new();
    /// conn.immediate_transaction::<_, Error, _>(|conn| {
    ///     let done = store.checkpoint(conn, "mailing list")?.map_or(Position::START, |c| c.position());
    ///     let slice = store.read_forward(conn, done, 100)?;
    ///     // … write the rows …
    ///     store.save_checkpoint(conn, "mailing list", slice.scanned_to())?;
    ///     Ok(())
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn save_checkpoint<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        projection_name: &str,
        position: Position,
    ) -> Result<(), CheckpointError> {
        checkpoints::save(conn.database(), projection_name, position)
    }

    /// Puts a projection's checkpoint at a position, also backward: what lies after it will be applied again.
    ///
    /// # Errors
    ///
    /// - [`CheckpointError::Invalid`]: a name that cannot be kept.
    /// - [`CheckpointError::Database`].
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// let store = EventStore::new();
    /// store.save_checkpoint(&mut conn, "mailing list", Position::new(20)?)?;
    /// store.rewind_checkpoint(&mut conn, "mailing list", Position::new(10)?)?;
    /// assert_eq!(store.checkpoints(&mut conn)?[0].position().get(), 10);
    /// # Ok(())
    /// # }
    /// ```
    pub fn rewind_checkpoint<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        projection_name: &str,
        position: Position,
    ) -> Result<(), CheckpointError> {
        checkpoints::rewind(conn.database(), projection_name, position)
    }

    /// Deletes a projection's checkpoint: it would begin with the first event again. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// - [`CheckpointError::Invalid`]: a name that cannot be kept.
    /// - [`CheckpointError::Database`].
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// assert!(!EventStore::new().delete_checkpoint(&mut conn, "mailing list")?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_checkpoint<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        projection_name: &str,
    ) -> Result<bool, CheckpointError> {
        checkpoints::delete(conn.database(), projection_name)
    }
}
