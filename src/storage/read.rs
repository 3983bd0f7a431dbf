use diesel::result::QueryResult;
use uuid::Uuid;

use crate::model::event::RecordedEvent;
use crate::model::invalid::InvalidInput;
use crate::model::log::{LogQuery, LogSlice};
use crate::model::position::Position;
use crate::model::stream::StreamPart;
use crate::model::stream_id::StreamId;
use crate::storage::error::{DatabaseError, OperationError, operation_error};
use crate::storage::operations::operations;

operations! {
    one by one:
    pub(crate) trait Read {
        /// The version of the aggregate, 0 if it has no events.
        fn version(&mut self, stream: &StreamId) -> QueryResult<i64>;

        fn read_stream(&mut self, stream: &StreamId, part: StreamPart) -> QueryResult<Vec<RecordedEvent>>;

        /// At most `limit` events, and how far the log was scanned for them.
        fn read_log(&mut self, query: &LogQuery, limit: i64) -> QueryResult<LogSlice>;

        fn read_event(&mut self, event_id: Uuid) -> QueryResult<Option<RecordedEvent>>;

        /// The position up to which the log is complete.
        fn last_position(&mut self) -> QueryResult<Position>;

        /// The position of the last event, whether or not the log is complete up to there.
        fn last_committed_position(&mut self) -> QueryResult<Position>;

        /// The last position that the log has assigned, as far as it is known, whether or not there is an
        /// event at it. It never lies before what a reader was told.
        fn last_assigned_position(&mut self) -> QueryResult<Position>;
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
    /// Events that were asked for have been archived. Read the log from `archived_to` on, or what is left of
    /// it [without them](crate::LogQuery::without_archived).
    #[error(
        "the log was to be read after position {after}, but events up to position {archived_to} have been \
         archived: read it from there, or what is left of it with `without_archived`"
    )]
    #[non_exhaustive]
    Archived {
        /// Where reading was to begin.
        after: Position,
        /// The position of the last event that is not there any more.
        archived_to: Position,
    },
    /// The database refused or failed.
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

operation_error!(ReadError);
