use std::io;
use std::sync::Arc;

use crate::model::expected_version::Conflict;
use crate::storage::append::AppendError;
use crate::storage::error::DatabaseError;

/// Why a [`Writer`](super::Writer) has not done what it was asked, although nothing was wrong with the request itself.
///
/// The error type of a [closure](super::Writer::transaction) must be able to hold it (`From<WriterError>`), as
/// [`WriteError`] and [`Error`](crate::Error) can.
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
    /// The writer takes nothing more, or was told to refuse what was waiting. Nothing of this was written.
    #[error("the writer is closed; nothing of this was written")]
    Closed,
    /// The closure has panicked. Its part was rolled back, and nobody else's.
    #[error("the closure has panicked, and its part was rolled back: {message}")]
    #[non_exhaustive]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// The transaction of the whole group was not begun or not committed, or SQLite has given it up half-way; for
    /// instance because the disk is full, or another process has kept the write lock for longer than `busy_timeout`.
    /// Nothing of the group was written. After an [`Io`](crate::DatabaseErrorKind::Io) error in the commit itself only
    /// the disk knows: append the same events again, and `DuplicateEventId` says that they are there.
    #[error("the group that this belonged to was not committed: {0}")]
    Database(#[source] Arc<DatabaseError>),
    /// The closure has begun a transaction inside of the writer's and has not ended it. Its part was rolled back, and
    /// nobody else's.
    #[error("the closure has left a transaction open, and its part was rolled back")]
    LeftOpen,
    /// The transaction of the group was ended half-way: by SQLite after a failure of the disk, or by a closure, with
    /// `COMMIT` or `ROLLBACK` as SQL. Everybody who was in it gets this error. Nothing was written if it was SQLite, or a
    /// `ROLLBACK`; after a `COMMIT` the parts before are there: append the same events again, and `DuplicateEventId` says
    /// so.
    #[error(
        "the transaction of the group was ended half-way, by a failure of the disk or by a closure with COMMIT or \
         ROLLBACK; closures return `Ok` to be committed and `Err` to be rolled back"
    )]
    Interrupted,
    /// A closure has waited for the writer that runs it, which would wait for ever.
    #[error("a closure has waited for the writer that runs it; use the connection that the closure is given")]
    WaitsForItself,
    /// The writer's thread has died in the middle of its work. Whether this was written is not known: append the same
    /// events again to another writer, and `DuplicateEventId` says that they are there.
    #[error("the writer's thread has died; whether this was written is not known")]
    Died,
    /// The operating system has not given the writer a thread.
    #[error("the writer's thread was not started: {0}")]
    NotStarted(#[source] Arc<io::Error>),
}

impl WriterError {
    /// Whether the same may well succeed when it is sent again.
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

/// Why an append that was sent to a [`Writer`](super::Writer) wrote nothing: the append itself was refused, or the writer
/// did not get to it.
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
///     Err(WriteError::Writer(error)) => println!("the writer did not get to it: {error}"),
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
    /// The writer did not get to it, or its group was not committed.
    #[error(transparent)]
    Writer(#[from] WriterError),
}

impl WriteError {
    /// The conflict, if it is one.
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

    /// Whether the same append may well succeed when it is sent again. A conflict is not of this kind: it needs a new
    /// decision.
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
