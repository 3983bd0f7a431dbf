use diesel::mysql::MysqlConnection;
use diesel::result::QueryResult;
use uuid::Uuid;

use super::interrupted::forget_statements;
use super::{append, checkpoint, migrations, ordering, position, read};
use crate::model::checkpoint::Checkpoint;
use crate::model::event::RecordedEvent;
use crate::model::log::{LogQuery, LogSlice};
use crate::model::ordering::LogOrdering;
use crate::model::position::Position;
use crate::model::stream::StreamPart;
use crate::model::stream_id::StreamId;
use crate::storage::append::AppendError;
use crate::storage::append::{Batch, Placement};
use crate::storage::backend::Backend;
use crate::storage::error::classify;
use crate::storage::listener::Listener;
use crate::storage::migrations::MigrationError;
use crate::storage::ordering::OrderingError;

fn reading<T>(
    conn: &mut MysqlConnection,
    read: impl FnOnce(&mut MysqlConnection) -> QueryResult<T>,
) -> QueryResult<T> {
    read(conn).inspect_err(|error| forget_statements(conn, classify(error)))
}

impl Backend for MysqlConnection {
    fn append(&mut self, batch: &Batch<'_>) -> Result<Placement, AppendError> {
        append::append(self, batch)
    }

    fn version(&mut self, stream: &StreamId) -> QueryResult<i64> {
        reading(self, |conn| read::version(conn, stream))
    }

    fn read_stream(&mut self, stream: &StreamId, part: StreamPart) -> QueryResult<Vec<RecordedEvent>> {
        reading(self, |conn| read::stream(conn, stream, part))
    }

    fn read_log(&mut self, query: &LogQuery, limit: i64) -> QueryResult<LogSlice> {
        reading(self, |conn| read::log(conn, query, limit))
    }

    fn read_event(&mut self, event_id: Uuid) -> QueryResult<Option<RecordedEvent>> {
        reading(self, |conn| read::event(conn, event_id))
    }

    fn last_position(&mut self) -> QueryResult<Position> {
        reading(self, position::complete)
    }

    fn last_committed_position(&mut self) -> QueryResult<Position> {
        reading(self, |conn| read::last_position_up_to(conn, Position::END))
    }

    fn checkpoint(&mut self, projection_name: &str) -> QueryResult<Option<Checkpoint>> {
        reading(self, |conn| read::checkpoint(conn, projection_name))
    }

    fn checkpoints(&mut self) -> QueryResult<Vec<Checkpoint>> {
        reading(self, read::checkpoints)
    }

    fn advance_checkpoint(&mut self, checkpoint: &Checkpoint) -> QueryResult<bool> {
        checkpoint::advance(self, checkpoint)
    }

    fn set_checkpoint(&mut self, checkpoint: &Checkpoint) -> QueryResult<()> {
        checkpoint::set(self, checkpoint)
    }

    fn delete_checkpoint(&mut self, projection_name: &str) -> QueryResult<bool> {
        reading(self, |conn| read::delete_checkpoint(conn, projection_name))
    }

    fn log_ordering(&mut self) -> QueryResult<LogOrdering> {
        ordering::get(self)
    }

    fn set_log_ordering(&mut self, ordering: LogOrdering) -> Result<(), OrderingError> {
        ordering::set(self, ordering)
    }

    /// Whoever finds out how far the log is complete publishes it.
    fn publish_position(&mut self) -> QueryResult<Position> {
        reading(self, position::complete)
    }

    fn listen(&mut self) -> QueryResult<Listener> {
        Ok(Listener::Deaf)
    }

    fn has_news(&mut self, _: &mut Listener) -> bool {
        false
    }

    fn run_pending_migrations(&mut self) -> Result<Vec<String>, MigrationError> {
        migrations::run_pending(self)
    }
}
