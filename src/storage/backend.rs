//! What a database must do. Everything above this line is the same for all of them; everything below knows one only.
//!
//! The trait is private, so it can change with every release.

use diesel::result::QueryResult;
use uuid::Uuid;

use crate::model::checkpoint::Checkpoint;
use crate::model::event::RecordedEvent;
use crate::model::log::{LogQuery, LogSlice};
use crate::model::ordering::LogOrdering;
use crate::model::position::Position;
use crate::model::stream::StreamPart;
use crate::model::stream_id::StreamId;
use crate::storage::append::AppendError;
use crate::storage::append::{Batch, Placement};
use crate::storage::listener::Listener;
use crate::storage::migrations::MigrationError;
use crate::storage::ordering::OrderingError;
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

    fn set_log_ordering(&mut self, ordering: LogOrdering) -> Result<(), OrderingError>;

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
