use diesel::pg::PgConnection;
use diesel::result::QueryResult;
use uuid::Uuid;

use super::{append, checkpoint, migrations, notify, ordering, position, read};
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
use crate::storage::listener::Listener;
use crate::storage::migrations::MigrationError;
use crate::storage::ordering::OrderingError;

impl Backend for PgConnection {
    fn append(&mut self, batch: &Batch<'_>) -> Result<Placement, AppendError> {
        append::append(self, batch)
    }

    fn version(&mut self, stream: &StreamId) -> QueryResult<i64> {
        read::version(self, stream)
    }

    fn read_stream(&mut self, stream: &StreamId, part: StreamPart) -> QueryResult<Vec<RecordedEvent>> {
        read::stream(self, stream, part)
    }

    fn read_log(&mut self, query: &LogQuery, limit: i64) -> QueryResult<LogSlice> {
        read::log(self, query, limit)
    }

    fn read_event(&mut self, event_id: Uuid) -> QueryResult<Option<RecordedEvent>> {
        read::event(self, event_id)
    }

    fn last_position(&mut self) -> QueryResult<Position> {
        read::last_position(self)
    }

    fn last_committed_position(&mut self) -> QueryResult<Position> {
        read::last_position_up_to(self, Position::END)
    }

    fn checkpoint(&mut self, projection_name: &str) -> QueryResult<Option<Checkpoint>> {
        read::checkpoint(self, projection_name)
    }

    fn checkpoints(&mut self) -> QueryResult<Vec<Checkpoint>> {
        read::checkpoints(self)
    }

    fn advance_checkpoint(&mut self, checkpoint: &Checkpoint) -> QueryResult<bool> {
        checkpoint::advance(self, checkpoint)
    }

    fn set_checkpoint(&mut self, checkpoint: &Checkpoint) -> QueryResult<()> {
        checkpoint::set(self, checkpoint)
    }

    fn delete_checkpoint(&mut self, projection_name: &str) -> QueryResult<bool> {
        read::delete_checkpoint(self, projection_name)
    }

    fn log_ordering(&mut self) -> QueryResult<LogOrdering> {
        ordering::get(self)
    }

    fn set_log_ordering(&mut self, ordering: LogOrdering) -> Result<(), OrderingError> {
        Ok(ordering::set(self, ordering)?)
    }

    fn publish_position(&mut self) -> QueryResult<Position> {
        position::publish(self)
    }

    fn listen(&mut self) -> QueryResult<Listener> {
        notify::listen(self)
    }

    fn has_news(&mut self, _: &mut Listener) -> bool {
        notify::has_news(self)
    }

    fn run_pending_migrations(&mut self) -> Result<Vec<String>, MigrationError> {
        migrations::run_pending(self)
    }
}
