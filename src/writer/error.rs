use std::io;
use std::sync::Arc;

use crate::model::expected_version::Conflict;
use crate::model::invalid::InvalidInput;
use crate::storage::append::AppendError;
use crate::storage::error::DatabaseError;

/// Why a [`Writer`](super::Writer) did not carry out a request, although the request itself was in order.
///
/// The error type of a [closure](super::Writer::transaction) must implement `From<WriterError>`, as
/// [`WriteError`] and [`Error`](crate::Error) do.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::sqlite::{WriteError, Writer, WriterError};
/// use diesel_event_store::{ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let writer = Writer::new(conn)?;
/// writer.drain().wait()?;
/// let alice = StreamId::new("User", "alice")?;
/// let late = writer.append(&alice, ExpectedVersion::Any, [NewEvent::new("UserCreated", &())?]).wait();
/// assert!(matches!(late, Err(WriteError::Writer(WriterError::Closed))));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum WriterError {
    /// The writer accepts no more requests, or was shut down while this one waited. Nothing of it was
    /// written.
    #[error("the writer is closed; nothing of this request was written")]
    Closed,
    /// The closure panicked. Only its own part was rolled back.
    #[error("the closure panicked, and its part was rolled back: {message}")]
    #[non_exhaustive]
    Panicked {
        /// The panic's message.
        message: String,
    },
    /// The transaction of the whole group could not begin or commit, for instance because the disk is full,
    /// or another process held the write lock for longer than `busy_timeout`. Nothing of the group was
    /// written.
    ///
    /// There is one exception: after an [`Io`](crate::DatabaseErrorKind::Io) error in the commit itself the
    /// outcome is unknown. Append the same events again; if they were written, the error is
    /// `DuplicateEventId`.
    #[error("the transaction that this request shared with others was not committed: {0}")]
    Database(#[source] Arc<DatabaseError>),
    /// The closure began a transaction inside the writer's and did not end it. Only its own part was rolled
    /// back.
    #[error("the closure left a transaction open, and its part was rolled back")]
    LeftOpen,
    /// The transaction of the group was ended half-way: by SQLite after a disk failure, or by a closure that
    /// ran `COMMIT` or `ROLLBACK` as SQL. Every request in it gets this error. After a disk failure or a
    /// `ROLLBACK`, nothing was written. After a `COMMIT`, the requests before it were written: append the
    /// same events again; if they were written, the error is `DuplicateEventId`.
    #[error(
        "the transaction that this request shared with others was ended half-way, by a disk failure or by a \
         closure that ran COMMIT or ROLLBACK; a closure returns `Ok` to be committed and `Err` to be rolled back"
    )]
    Interrupted,
    /// A closure waited for the writer that runs it, which would wait without end.
    #[error("a closure waited for the writer that runs it; use the connection that the closure is given")]
    WaitsForItself,
    /// The writer's thread died in the middle of its work. Whether the request was written is unknown: append
    /// the same events again with another writer; if they were written, the error is `DuplicateEventId`.
    #[error(
        "the writer's thread died, and whether this request was written is unknown; \
         send it again to another writer: if it was written, its event ids are refused as duplicates"
    )]
    Died,
    /// The operating system did not start a thread for the writer.
    #[error("the writer's thread could not be started: {0}")]
    NotStarted(#[source] Arc<io::Error>),
}

impl WriterError {
    /// Whether the same request may succeed when it is sent again.
    ///
    /// ```
    /// # use diesel_event_store::sqlite::WriterError;
    /// assert!(!WriterError::Closed.is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        matches!(self, WriterError::Database(error) if error.is_retryable())
    }
}

impl From<DatabaseError> for WriterError {
    fn from(error: DatabaseError) -> Self {
        WriterError::Database(Arc::new(error))
    }
}

impl From<diesel::result::Error> for WriterError {
    fn from(error: diesel::result::Error) -> Self {
        DatabaseError::from(error).into()
    }
}

/// Why an append that was sent to a [`Writer`](super::Writer) wrote nothing: the append itself was refused,
/// or the writer could not carry it out.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::sqlite::{WriteError, Writer};
/// use diesel_event_store::{ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # let writer = Writer::new(conn)?;
/// let alice = StreamId::new("User", "alice")?;
/// let renamed = [NewEvent::new("UserRenamed", &"Alice")?];
/// match writer.append(&alice, ExpectedVersion::Exact(3), renamed).wait() {
///     Ok(appended) => println!("at version {}", appended.version()),
///     Err(WriteError::Append(refused)) => println!("refused: {refused}"),
///     Err(WriteError::Writer(error)) => println!("not written: {error}"),
///     Err(error) => return Err(error.into()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The append was refused: a conflict, for instance.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The writer could not carry it out, or its group was not committed.
    #[error(transparent)]
    Writer(#[from] WriterError),
}

/// For a function that makes events and appends them.
impl From<InvalidInput> for WriteError {
    fn from(error: InvalidInput) -> Self {
        WriteError::Append(error.into())
    }
}

impl WriteError {
    /// The conflict, if the error is one.
    ///
    /// ```
    /// use diesel_event_store::sqlite::{WriteError, WriterError};
    ///
    /// assert!(WriteError::from(WriterError::Closed).conflict().is_none());
    /// ```
    pub fn conflict(&self) -> Option<&Conflict> {
        match self {
            WriteError::Append(error) => error.conflict(),
            WriteError::Writer(_) => None,
        }
    }

    /// Whether the same append may succeed when it is sent again. After a conflict it cannot: read the stream
    /// and decide again.
    ///
    /// ```
    /// use diesel_event_store::sqlite::{WriteError, WriterError};
    ///
    /// assert!(!WriteError::from(WriterError::Closed).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            WriteError::Append(error) => error.is_retryable(),
            WriteError::Writer(error) => error.is_retryable(),
        }
    }
}
