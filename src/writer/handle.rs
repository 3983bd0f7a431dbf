use std::fmt;
use std::sync::Arc;

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::result::{Error, QueryResult};
use diesel::sqlite::SqliteConnection;

use super::append::Append;
use super::closure::Closure;
use super::error::{WriteError, WriterError};
use super::job::Job;
use super::options::WriterOptions;
use super::reply::{self, Receiver};
use super::request::Request;
use super::thread::WriterThread;
use super::ticket::Ticket;
use crate::model::appended::Appended;
use crate::model::event::NewEvent;
use crate::model::expected_version::ExpectedVersion;
use crate::model::stream_id::StreamId;
use crate::store::EventStore;
use crate::store::append::validate;

/// Appends from any number of threads and tasks, with one commit for many of them.
///
/// SQLite has one writer at a time, and most of the cost of a small transaction is its commit. A writer owns
/// a connection on its own thread. While it commits, requests queue up, and all of them become the next
/// transaction: the more callers there are, the more of them share a commit. Each caller gets its own outcome
/// after that commit, when the result is as durable as the connection's
/// [`Synchronous`](crate::storage::sqlite::Synchronous) makes any commit.
///
/// A request that fails writes nothing and does not affect the other requests of its group.
///
/// Handles are cheap to clone and to send. Other connections and processes may write at the same time;
/// several processes may each have a writer on the same file. Dropping the last handle waits until everything
/// that was sent is written.
///
/// See the [guide](crate::guide::writer) for when to use it and when not.
///
/// ```
/// use std::thread;
///
/// use diesel::prelude::*;
/// use diesel_event_store::sqlite::{Options, Writer};
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId, run_pending_migrations};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("shop.db").display().to_string();
/// let mut conn = SqliteConnection::establish(&path).unwrap();
/// Options::default().apply(&mut conn)?;
/// run_pending_migrations(&mut conn)?;
/// let writer = Writer::new(conn)?;
///
/// thread::scope(|scope| {
///     for sensor in 0..8 {
///         let writer = &writer;
///         scope.spawn(move || {
///             let stream = StreamId::new("Sensor", sensor)?;
///             let measured = NewEvent::new("Measured", &21.5)?;
///             writer.append(&stream, ExpectedVersion::Any, [measured]).wait()
///         });
///     }
/// });
///
/// let mut conn = SqliteConnection::establish(&path).unwrap();
/// assert_eq!(EventStore::new().last_position(&mut conn)?.get(), 8);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Writer {
    thread: Arc<WriterThread>,
    store: EventStore,
}

impl Writer {
    /// Starts a writer with the default [`WriterOptions`]; it owns the connection from then on. It keeps the
    /// connection's settings, so apply [`Options`](crate::storage::sqlite::Options) before.
    ///
    /// # Errors
    ///
    /// Those of [`WriterOptions::start`].
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::sqlite::Writer;
    ///
    /// let conn = SqliteConnection::establish(":memory:").unwrap();
    /// let writer = Writer::new(conn)?;
    /// # Ok::<(), diesel_event_store::Error>(())
    /// ```
    pub fn new(conn: SqliteConnection) -> Result<Self, WriterError> {
        WriterOptions::default().start(conn)
    }

    /// Appends events to a stream, all or none, if the stream is at the expected version:
    /// [`EventStore::append`] in a group. The events are checked at once, and queued when the request is
    /// waited for, awaited or sent.
    ///
    /// # Errors
    ///
    /// [`WriteError`], when the request is waited for: an error of [`EventStore::append`], or a failure of
    /// the writer or the group.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::sqlite::{WriteError, Writer};
    /// use diesel_event_store::{AppendError, ExpectedVersion, NewEvent, StreamId};
    ///
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// let writer = Writer::new(conn)?;
    /// let alice = StreamId::new("User", "alice")?;
    /// let created = NewEvent::new("UserCreated", &"alice@example.com")?;
    /// let appended = writer.append(&alice, ExpectedVersion::NoStream, [created.clone()]).wait()?;
    /// assert_eq!(appended.version(), 1);
    ///
    /// let again = writer.append(&alice, ExpectedVersion::NoStream, [created]).wait();
    /// assert!(matches!(again, Err(WriteError::Append(AppendError::DuplicateEventId { .. }))));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The same in an async function, in any runtime: `writer.append(&alice, …, [created]).await?`.
    pub fn append(
        &self,
        stream: &StreamId,
        expected: ExpectedVersion,
        events: impl Into<Vec<NewEvent>>,
    ) -> Request<Appended, WriteError> {
        let (stream, events) = (stream.clone(), events.into());
        if let Err(refused) = validate(self.store.max_json_bytes, expected, &events) {
            return self.decided(Err(refused.into()));
        }
        let (caller, reply) = reply::channel();
        self.request(Append { stream, expected, events, caller, placed: None }, reply)
    }

    /// Runs a closure on the writer's connection: the application's own rows and its events, committed
    /// together with the other requests of the group. If the closure returns an error or panics, only its own
    /// part is rolled back.
    ///
    /// It runs inside a transaction: `conn.transaction(…)` in it is a savepoint, and diesel refuses
    /// `immediate_transaction`. It must not end the writer's transaction by hand, and should be short,
    /// because every other request waits for it. It must use the connection that it is given: if it waited
    /// for the writer, it would wait for itself.
    ///
    /// # Errors
    ///
    /// The closure's own error, when the request is waited for, or [`WriterError`] for a failure of the
    /// writer or the group.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::sqlite::Writer;
    /// use diesel_event_store::{Error, EventStore, ExpectedVersion, NewEvent, StreamId};
    ///
    /// # fn main() -> Result<(), Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// # diesel::sql_query("CREATE TABLE users (name TEXT NOT NULL)").execute(&mut conn)?;
    /// let writer = Writer::new(conn)?;
    /// let alice = StreamId::new("User", "alice")?;
    /// let created = writer.transaction(move |conn| {
    ///     diesel::sql_query("INSERT INTO users VALUES ('alice')").execute(conn)?;
    ///     let created = NewEvent::new("UserCreated", &"alice@example.com")?;
    ///     Ok::<_, Error>(EventStore::new().append(conn, &alice, ExpectedVersion::NoStream, &[created])?)
    /// });
    /// assert_eq!(created.wait()?.version(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn transaction<T, E>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, E> + Send + 'static,
    ) -> Request<T, E>
    where
        T: Send + 'static,
        E: From<WriterError> + Send + 'static,
    {
        let (caller, reply) = reply::channel();
        self.request(Closure::new(work, caller), reply)
    }

    fn request<T, E>(&self, job: impl Job + 'static, reply: Receiver<T, E>) -> Request<T, E>
    where
        E: From<WriterError>,
    {
        Request::new(Arc::clone(&self.thread), Some(Box::new(job)), self.thread.ticket(reply))
    }

    /// The outcome is known, so nothing is sent.
    fn decided<T, E: From<WriterError>>(&self, outcome: Result<T, E>) -> Request<T, E> {
        let (caller, reply) = reply::channel();
        caller.send(Ok(outcome));
        Request::new(Arc::clone(&self.thread), None, self.thread.ticket(reply))
    }

    /// Ends the writer for all its handles: it accepts no more requests, and still writes those that were
    /// sent. The ticket is done when the connection is closed. The writer ends even if the ticket is dropped.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::{ExpectedVersion, NewEvent, StreamId, sqlite::Writer};
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// # let writer = Writer::new(conn)?;
    /// # let alice = StreamId::new("User", "alice")?;
    /// let sent = writer.append(&alice, ExpectedVersion::Any, [NewEvent::new("UserSeen", &())?]).send();
    /// writer.drain().wait()?;
    /// assert!(sent.wait().is_ok());
    /// # Ok(())
    /// # }
    /// ```
    pub fn drain(&self) -> Ticket<(), WriterError> {
        self.thread.queue().close();
        self.end()
    }

    /// Ends the writer for all its handles: it accepts no more requests, and answers those in the queue with
    /// [`WriterError::Closed`]. Only the group that is being written is finished. The ticket is done when the
    /// connection is closed. The writer ends even if the ticket is dropped.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::sqlite::Writer;
    /// # let conn = SqliteConnection::establish(":memory:").unwrap();
    /// # let writer = Writer::new(conn)?;
    /// writer.shutdown_now().wait()?;
    /// # Ok::<(), diesel_event_store::Error>(())
    /// ```
    pub fn shutdown_now(&self) -> Ticket<(), WriterError> {
        self.thread.queue().clear().into_iter().for_each(|job| job.failed(WriterError::Closed));
        self.end()
    }

    fn end(&self) -> Ticket<(), WriterError> {
        let (teller, end) = reply::channel();
        self.thread.queue().tell_the_end(teller);
        self.thread.ticket(end)
    }
}

impl WriterOptions {
    /// Starts a writer with these options; it owns the connection from then on. It keeps the connection's
    /// settings, so apply [`Options`](crate::storage::sqlite::Options) before.
    ///
    /// # Errors
    ///
    /// - [`WriterError::Database`]: the connection is in a transaction.
    /// - [`WriterError::NotStarted`]: the operating system did not start a thread.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::sqlite::WriterOptions;
    ///
    /// let conn = SqliteConnection::establish(":memory:").unwrap();
    /// let writer = WriterOptions::default().max_batch(50).start(conn)?;
    /// # Ok::<(), diesel_event_store::Error>(())
    /// ```
    pub fn start(self, mut conn: SqliteConnection) -> Result<Writer, WriterError> {
        refuse_open_transaction(&mut conn)?;
        let thread = WriterThread::start(conn, self)?;
        Ok(Writer { thread: Arc::new(thread), store: self.store })
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("store", &self.store).finish_non_exhaustive()
    }
}

/// The writer could not tell the application's transaction from its own.
fn refuse_open_transaction(conn: &mut SqliteConnection) -> QueryResult<()> {
    match AnsiTransactionManager::transaction_manager_status_mut(conn).transaction_depth()? {
        None => Ok(()),
        Some(_) => Err(Error::AlreadyInTransaction),
    }
}
