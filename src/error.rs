//! What can go wrong, an enum an operation, and one for all of them.

use uuid::Uuid;

use crate::model::expected_version::Conflict;
use crate::model::invalid::InvalidInput;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::projection::ProjectionError;
use crate::storage::backend;
#[cfg(feature = "sqlite")]
use crate::writer::WriterError;

/// Why the database did not do what it was asked.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{DatabaseErrorKind, EventStore, ReadError};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// match EventStore::new().last_position(&mut conn) {
///     Err(ReadError::Database(error)) => assert_eq!(error.kind(), DatabaseErrorKind::NotMigrated),
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DatabaseErrorKind {
    /// Somebody else holds a lock for longer than the connection is willing to wait. Retryable.
    Locked,
    /// The database has chosen this transaction to give way to another: a deadlock, or a failure to serialise. It is
    /// rolled back as a whole. Retryable.
    Deadlock,
    /// The event store's tables are not there.
    NotMigrated,
    /// The database, or the connection to it, can only be read.
    ReadOnly,
    /// The disk, or the database within its limits, is full.
    Full,
    /// The file is not a database, or is damaged.
    Corrupt,
    /// A row holds a value that no event can have: it was written by hand, or the file is damaged.
    Unreadable,
    /// The operating system could not open, read or write the database.
    Io,
    /// A trigger has refused to change or delete an event.
    AppendOnly,
    /// The connection is in a transaction that diesel has not opened (with `BEGIN` as plain SQL, say).
    ForeignTransaction,
    /// The log was to be read where it cannot be seen who is appending, and no position has been
    /// [published](crate::EventStore::publish_position).
    NotPublished,
    /// More was sent at once than the server takes: see its `max_allowed_packet`.
    TooLarge,
    /// The connection is lost, or diesel holds it for broken after an earlier failure. Retryable on a new one.
    ConnectionLost,
    /// Anything else: see the error's source.
    Other,
}

impl DatabaseErrorKind {
    /// What happened, and what to do about it.
    fn advice(self) -> &'static str {
        match self {
            Self::Locked => {
                "the database is locked by another connection; run the outermost transaction again, begin it with \
                 `immediate_transaction` if it reads before it appends, and set a busy_timeout \
                 (sqlite::Options) so that it waits for its turn"
            }
            Self::Deadlock => {
                "the database has rolled the transaction back so that another could go on; run the outermost \
                 transaction again"
            }
            Self::NotMigrated => {
                "the event store's tables are missing; call `run_pending_migrations` when the application starts, \
                 or run `diesel migration run`"
            }
            Self::ReadOnly => "the database is read-only; open it with write access to append or save",
            Self::Full => {
                "the database or its disk is full; nothing of this was written, make room, and run the outermost \
                 transaction again"
            }
            Self::Corrupt => {
                "the file is damaged or is not a database; keep a copy of it, check it with \
                 `PRAGMA integrity_check`, and restore a backup"
            }
            Self::Unreadable => {
                "a row holds a value that cannot be read: it was written by hand, or the file is damaged"
            }
            Self::Io => "the operating system could not open, read or write the database",
            Self::AppendOnly => "events are append-only: what is recorded is neither changed nor deleted",
            Self::ForeignTransaction => {
                "the connection is in a transaction that diesel does not know of; open transactions with \
                 `Connection::transaction` or `immediate_transaction`, not with BEGIN as SQL"
            }
            Self::NotPublished => {
                "from here (a standby, or a transaction in REPEATABLE READ or SERIALIZABLE) it cannot be seen who is \
                 appending, so the log can be read up to the last position that was published, and none was; \
                 call `EventStore::publish_position` now and then on the primary"
            }
            Self::TooLarge => {
                "more was sent at once than the server takes; raise its `max_allowed_packet`, or write less at once"
            }
            Self::ConnectionLost => {
                "the connection is lost or was left broken by an earlier failure; open a new one and run the \
                 outermost transaction again"
            }
            Self::Other => "the database refused",
        }
    }
}

/// The database did not do what it was asked: what kind of failure it was, what to do, and diesel's error as source.
///
/// It can be made from a [`diesel::result::Error`], so that the errors of this crate serve as the error type of
/// `conn.transaction(…)`.
///
/// ```
/// use diesel_event_store::{DatabaseError, DatabaseErrorKind};
///
/// let error = DatabaseError::from(diesel::result::Error::NotFound);
/// assert_eq!(error.kind(), DatabaseErrorKind::Other);
/// assert!(!error.is_retryable());
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", .kind.advice())]
pub struct DatabaseError {
    kind: DatabaseErrorKind,
    source: diesel::result::Error,
}

impl DatabaseError {
    /// What kind of failure it was.
    pub fn kind(&self) -> DatabaseErrorKind {
        self.kind
    }

    /// Whether the same may well succeed when it is run again. Inside a transaction of the application's that means
    /// the outermost transaction, and after [`ConnectionLost`](DatabaseErrorKind::ConnectionLost) a new connection.
    pub fn is_retryable(&self) -> bool {
        use DatabaseErrorKind::{ConnectionLost, Deadlock, Locked};
        matches!(self.kind, Locked | Deadlock | ConnectionLost)
    }

    /// What diesel reported.
    pub fn diesel_error(&self) -> &diesel::result::Error {
        &self.source
    }

    /// What diesel reported, without the rest.
    pub fn into_diesel_error(self) -> diesel::result::Error {
        self.source
    }
}

impl From<diesel::result::Error> for DatabaseError {
    fn from(source: diesel::result::Error) -> Self {
        Self { kind: backend::classify(&source), source }
    }
}

/// A payload or metadata does not have the form the application asked for. The event itself is as it was written.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # let alice = StreamId::new("User", "alice")?;
/// let renamed = [NewEvent::new("UserRenamed", &"Alice")?];
/// let appended = EventStore::new().append(&mut conn, &alice, ExpectedVersion::Any, &renamed)?;
/// let error = appended.events()[0].payload::<u64>().unwrap_err();
/// assert!(error.to_string().starts_with("payload of UserRenamed, version 1 of User/alice at position 1"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[error(
    "{field} of {event_type}, version {version} of {stream} at position {position}, cannot be decoded: {source}"
)]
#[non_exhaustive]
pub struct DecodeError {
    /// `payload` or `metadata`.
    pub field: &'static str,
    /// The type of the event.
    pub event_type: String,
    /// The stream of the event.
    pub stream: StreamId,
    /// The version of the event in its stream.
    pub version: i64,
    /// The position of the event in the log.
    pub position: Position,
    /// What `serde_json` says.
    pub source: serde_json::Error,
}

/// Why an append wrote nothing.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{AppendError, EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # let (store, alice) = (EventStore::new(), StreamId::new("User", "alice")?);
/// let renamed = [NewEvent::new("UserRenamed", &"Alice")?];
/// match store.append(&mut conn, &alice, ExpectedVersion::Exact(3), &renamed) {
///     Ok(appended) => println!("at version {}", appended.version()),
///     Err(AppendError::Conflict(conflict)) => println!("somebody was faster: {conflict}"),
///     Err(error) if error.is_retryable() => println!("try again: {error}"),
///     Err(error) => return Err(error.into()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The aggregate is not at the expected version: read it again and decide anew.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// An event with this id is recorded already, or comes twice in the batch. Not a conflict, and reported rather than
    /// one: after a failure that left open whether an append went through, repeating it with the same events and the
    /// same expected version says that it did.
    #[error("an event with the id {event_id} (event {event_index} of the batch) is there already")]
    #[non_exhaustive]
    DuplicateEventId {
        /// The id that comes twice.
        event_id: Uuid,
        /// Which event of the batch has it, counted from 0.
        event_index: usize,
    },
    /// Something that cannot be kept.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The database did not do it.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The [`Writer`](crate::writer::Writer) that it was sent to did not do it.
    #[cfg(feature = "sqlite")]
    #[error(transparent)]
    Writer(#[from] WriterError),
}

impl AppendError {
    /// The conflict, if it is one.
    ///
    /// ```
    /// use diesel_event_store::AppendError;
    ///
    /// let error = AppendError::from(diesel::result::Error::NotFound);
    /// assert!(error.conflict().is_none());
    /// ```
    pub fn conflict(&self) -> Option<&Conflict> {
        match self {
            AppendError::Conflict(conflict) => Some(conflict),
            _ => None,
        }
    }

    /// Whether the same append may well succeed when the outermost transaction is run again. A conflict is not of this
    /// kind: it needs a new decision.
    ///
    /// ```
    /// use diesel_event_store::AppendError;
    ///
    /// assert!(!AppendError::from(diesel::result::Error::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            AppendError::Writer(error) => error.is_retryable(),
            other => other.database_error().is_some_and(DatabaseError::is_retryable),
        }
    }
}

/// Why nothing was read.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, Position, ReadError};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let refused = EventStore::new().read_forward(&mut conn, Position::START, 0);
/// assert!(matches!(refused, Err(ReadError::Invalid(invalid)) if invalid.field() == "limit"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Something that cannot be asked for.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The database did not do it.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl ReadError {
    /// Whether the same read may well succeed when the outermost transaction is run again.
    ///
    /// ```
    /// use diesel_event_store::ReadError;
    ///
    /// assert!(!ReadError::from(diesel::result::Error::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        self.database_error().is_some_and(DatabaseError::is_retryable)
    }
}

/// Why a checkpoint was not read or saved.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{CheckpointError, EventStore, Position};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let store = EventStore::new();
/// store.save_checkpoint(&mut conn, "mailing list", Position::new(20)?)?;
/// let behind = store.save_checkpoint(&mut conn, "mailing list", Position::new(10)?);
/// assert!(matches!(behind, Err(CheckpointError::Backward { saved, .. }) if saved.get() == 20));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The checkpoint lies further on already: another worker has come by. What was done along with it should be
    /// rolled back.
    #[error(
        "the checkpoint of {projection_name} is at {saved} and is not moved backward to {requested}; \
         to do that on purpose, call `rewind_checkpoint`"
    )]
    #[non_exhaustive]
    Backward {
        /// The projection.
        projection_name: String,
        /// Where its checkpoint is.
        saved: Position,
        /// Where it was to be moved.
        requested: Position,
    },
    /// Something that cannot be kept.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The database did not do it.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl CheckpointError {
    /// Whether the same may well succeed when the outermost transaction is run again.
    ///
    /// ```
    /// use diesel_event_store::CheckpointError;
    ///
    /// assert!(!CheckpointError::from(diesel::result::Error::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        self.database_error().is_some_and(DatabaseError::is_retryable)
    }
}

/// Why the migrations were not run. The schema is as it was before.
///
/// ```
/// use diesel::{connection::SimpleConnection, prelude::*};
/// use diesel_event_store::{MigrationError, run_pending_migrations};
///
/// let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// conn.batch_execute("CREATE TABLE events (id INTEGER PRIMARY KEY)").unwrap();
/// match run_pending_migrations(&mut conn) {
///     Err(MigrationError::TableExists { table, .. }) => assert_eq!(table, "events"),
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// A newer version of this crate has migrated the database. It is not touched.
    #[error(
        "the database has the event store migration {version}, which this version of diesel_event_store does not \
         know; upgrade the crate in this application"
    )]
    #[non_exhaustive]
    NewerSchema {
        /// The newest migration this version does not know.
        version: String,
    },
    /// The application has a table of the same name.
    #[error(
        "the database has a table {table} that the event store has not made; rename it, or keep the events in a \
         database of their own"
    )]
    #[non_exhaustive]
    TableExists {
        /// The name of the table.
        table: String,
    },
    /// On MySQL and MariaDB, inside a transaction: to create a table would commit it. Nothing was done.
    #[error(
        "there are migrations to be applied, and on MySQL they would commit the transaction that is open; \
         run them outside of transactions"
    )]
    InTransaction,
    /// The database did not do it.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// `diesel_migrations` failed for a reason of its own.
    #[error("the migrations could not be run: {0}")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl MigrationError {
    /// Whether the same may well succeed when it is run again.
    ///
    /// ```
    /// use diesel_event_store::MigrationError;
    ///
    /// assert!(!MigrationError::from(diesel::result::Error::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        self.database_error().is_some_and(DatabaseError::is_retryable)
    }
}

/// Any error of this crate: for a `main`, or a transaction that does several things.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{Error, EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// fn register(conn: &mut SqliteConnection, name: &str) -> Result<i64, Error> {
///     conn.immediate_transaction(|conn| {
///         let stream = StreamId::new("User", name)?;
///         let created = NewEvent::new("UserCreated", &name)?;
///         let appended = EventStore::new().append(conn, &stream, ExpectedVersion::NoStream, &[created])?;
///         Ok(appended.version())
///     })
/// }
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// assert_eq!(register(&mut conn, "alice")?, 1);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An append failed.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// A read failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A checkpoint was not read or saved.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The migrations were not run.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// A projection was not applied, or an operation on it not done.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// The handler of a projection that is applied inline has failed.
    #[error(transparent)]
    Handler(Box<dyn std::error::Error + Send + Sync>),
    /// A payload or metadata has another form than asked for.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Something that cannot be kept or asked for.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The database did not do it.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A [`Writer`](crate::writer::Writer) did not do it.
    #[cfg(feature = "sqlite")]
    #[error(transparent)]
    Writer(#[from] WriterError),
}

impl Error {
    /// The conflict, if it is one.
    ///
    /// ```
    /// use diesel_event_store::Error;
    ///
    /// assert!(Error::from(diesel::result::Error::NotFound).conflict().is_none());
    /// ```
    pub fn conflict(&self) -> Option<&Conflict> {
        match self {
            Error::Append(error) => error.conflict(),
            _ => None,
        }
    }

    /// Whether the same may well succeed when the outermost transaction is run again.
    ///
    /// ```
    /// use diesel_event_store::Error;
    ///
    /// assert!(!Error::from(diesel::result::Error::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Append(error) => error.is_retryable(),
            Error::Read(error) => error.is_retryable(),
            Error::Checkpoint(error) => error.is_retryable(),
            Error::Migration(error) => error.is_retryable(),
            Error::Projection(error) => error.is_retryable(),
            Error::Database(error) => error.is_retryable(),
            #[cfg(feature = "sqlite")]
            Error::Writer(error) => error.is_retryable(),
            Error::Decode(_) | Error::Invalid(_) | Error::Handler(_) => false,
        }
    }
}

/// What the errors of the operations have in common: the database may be behind them.
pub(crate) trait OperationError: From<diesel::result::Error> {
    fn database_error(&self) -> Option<&DatabaseError>;
}

macro_rules! operation_errors {
    ($($error:ident),+) => {$(
        impl OperationError for $error {
            fn database_error(&self) -> Option<&DatabaseError> {
                match self {
                    $error::Database(error) => Some(error),
                    _ => None,
                }
            }
        }
    )+};
}

operation_errors!(AppendError, ReadError, CheckpointError, MigrationError, Error);

/// `?` on a diesel error, and the bound of `conn.transaction`, go through [`DatabaseError`].
macro_rules! from_diesel_error {
    ($($error:ident),+) => {$(
        impl From<diesel::result::Error> for $error {
            fn from(error: diesel::result::Error) -> Self {
                $error::Database(error.into())
            }
        }
    )+};
}

from_diesel_error!(AppendError, ReadError, CheckpointError, MigrationError, Error);
