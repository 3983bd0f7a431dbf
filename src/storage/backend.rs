//! What a database must do. Everything above this line is the same for all of them; everything below knows one only.
//!
//! The trait is private, so it can change with every release.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use diesel::result::{DatabaseErrorKind as DieselKind, Error, QueryResult};
use uuid::Uuid;

use crate::error::{AppendError, DatabaseErrorKind, MigrationError};
use crate::model::checkpoint::Checkpoint;
use crate::model::event::{NewEvent, RecordedEvent};
use crate::model::expected_version::{Conflict, ExpectedVersion};
use crate::model::invalid::{InvalidInput, Problem};
use crate::model::log::{LogQuery, LogSlice};
use crate::model::ordering::LogOrdering;
use crate::model::position::Position;
use crate::model::stream::StreamPart;
use crate::model::stream_id::StreamId;
use crate::storage::listener::Listener;
use crate::storage::tables::ProjectionTables;
use crate::storage::transaction::Transactions;

/// A database, through the connection the application has lent. Every operation works alone and inside a transaction
/// that the application has open on the connection.
pub(crate) trait Backend {
    /// Appends the batch, which is validated, or nothing of it.
    fn append(&mut self, batch: &Batch<'_>) -> Result<Placement, AppendError>;

    /// The version of the aggregate, 0 if it has no events.
    fn version(&mut self, stream: &StreamId) -> QueryResult<i64>;

    fn read_stream(&mut self, stream: &StreamId, part: StreamPart) -> QueryResult<Vec<RecordedEvent>>;

    /// At most `limit` events, and how far the log was scanned for them.
    fn read_log(&mut self, query: &LogQuery, limit: i64) -> QueryResult<LogSlice>;

    fn read_event(&mut self, event_id: Uuid) -> QueryResult<Option<RecordedEvent>>;

    /// The position up to which the log is complete.
    fn last_position(&mut self) -> QueryResult<Position>;

    /// That of the last event, whether or not the log is complete up to there.
    fn last_committed_position(&mut self) -> QueryResult<Position>;

    fn checkpoint(&mut self, projection_name: &str) -> QueryResult<Option<Checkpoint>>;

    /// In the order of their names.
    fn checkpoints(&mut self) -> QueryResult<Vec<Checkpoint>>;

    /// Moves the checkpoint forward, or leaves it where it is and returns `false` if it lies further on already.
    fn advance_checkpoint(&mut self, checkpoint: &Checkpoint) -> QueryResult<bool>;

    /// Puts the checkpoint there, wherever it is now.
    fn set_checkpoint(&mut self, checkpoint: &Checkpoint) -> QueryResult<()>;

    /// Whether there was one.
    fn delete_checkpoint(&mut self, projection_name: &str) -> QueryResult<bool>;

    fn log_ordering(&mut self) -> QueryResult<LogOrdering>;

    fn set_log_ordering(&mut self, ordering: LogOrdering) -> Result<(), crate::error::Error>;

    /// Makes the position up to which the log is complete known to readers that cannot find it out themselves.
    fn publish_position(&mut self) -> QueryResult<Position>;

    /// To be told when another process has committed something.
    fn listen(&mut self) -> QueryResult<Listener>;

    /// Whether another process has, since this was asked last.
    fn has_news(&mut self, listener: &mut Listener) -> bool;

    /// Applies what is pending and returns the versions applied.
    fn run_pending_migrations(&mut self) -> Result<Vec<String>, MigrationError>;
}

/// All that this crate does with a connection.
pub(crate) trait Database: Backend + Transactions + ProjectionTables {}

impl<D: Backend + Transactions + ProjectionTables> Database for D {}

/// Events that are to be appended to one stream, all or nothing.
pub(crate) struct Batch<'a> {
    pub(crate) stream: &'a StreamId,
    pub(crate) expected: ExpectedVersion,
    pub(crate) events: &'a [NewEvent],
    pub(crate) now: DateTime<Utc>,
}

impl Batch<'_> {
    pub(crate) fn len(&self) -> i64 {
        i64::try_from(self.events.len()).expect("a slice is never that long")
    }

    /// The versions from which a head that exists may be moved. None of them would overflow.
    pub(crate) fn acceptable_versions(&self) -> RangeInclusive<i64> {
        let highest = i64::MAX - self.len();
        match self.expected {
            ExpectedVersion::Any => 0..=highest,
            ExpectedVersion::NoStream => 0..=0,
            ExpectedVersion::StreamExists => 1..=highest,
            ExpectedVersion::Exact(version) => version..=version.min(highest),
        }
    }

    /// The id of this event is recorded already.
    pub(crate) fn duplicate(&self, event_index: usize) -> AppendError {
        AppendError::DuplicateEventId { event_id: self.events[event_index].id(), event_index }
    }

    /// Why the head was not moved, with the aggregate at version `actual`.
    pub(crate) fn refusal(&self, actual: i64) -> AppendError {
        if self.expected.allows(actual) {
            let problem = Problem::VersionOverflow { version: actual, events: self.events.len() };
            return InvalidInput::new("events", problem).into();
        }
        Conflict { stream: self.stream.clone(), expected: self.expected, actual }.into()
    }
}

/// Where a batch has been put.
pub(crate) struct Placement {
    pub(crate) previous_version: i64,
    /// Of each event of the batch, in its order.
    pub(crate) positions: Vec<Position>,
}

/// The reader cannot find out who is appending, and nobody has published a position for it.
#[derive(Debug, thiserror::Error)]
#[error("no position is published")]
pub(crate) struct NotPublished;

impl From<NotPublished> for Error {
    fn from(error: NotPublished) -> Self {
        Error::QueryBuilderError(Box::new(error))
    }
}

/// What kind of failure it is. An error may come from the application's own statements in a transaction, so all
/// databases that are compiled in are asked; their messages are distinct.
pub(crate) fn classify(error: &Error) -> DatabaseErrorKind {
    match error {
        Error::DeserializationError(_) => DatabaseErrorKind::Unreadable,
        Error::BrokenTransactionManager => DatabaseErrorKind::ConnectionLost,
        Error::RollbackErrorOnCommit { commit_error, .. } => classify(commit_error),
        Error::DatabaseError(DieselKind::ClosedConnection, _) => DatabaseErrorKind::ConnectionLost,
        Error::DatabaseError(DieselKind::SerializationFailure, _) => DatabaseErrorKind::Deadlock,
        Error::DatabaseError(DieselKind::ReadOnlyTransaction, _) => DatabaseErrorKind::ReadOnly,
        Error::QueryBuilderError(error) if error.is::<NotPublished>() => DatabaseErrorKind::NotPublished,
        Error::DatabaseError(_, information) => classify_message(information.message()),
        _ => DatabaseErrorKind::Other,
    }
}

fn classify_message(message: &str) -> DatabaseErrorKind {
    let known: Option<DatabaseErrorKind> = None;
    #[cfg(feature = "sqlite")]
    let known = known.or_else(|| crate::storage::sqlite::error::classify(message));
    #[cfg(feature = "postgres")]
    let known = known.or_else(|| crate::storage::postgres::error::classify(message));
    #[cfg(feature = "mysql")]
    let known = known.or_else(|| crate::storage::mysql::error::classify(message));
    known.unwrap_or(DatabaseErrorKind::Other)
}
