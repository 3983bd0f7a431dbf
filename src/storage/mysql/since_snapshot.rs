use diesel::mysql::Mysql;
use diesel::result::QueryResult;

use crate::model::direction::Direction;
use crate::model::event::RecordedEvent;
use crate::model::stream::StreamPart;
use crate::model::stream_id::StreamId;
use crate::storage::lent;
use crate::storage::read::Read;
use crate::storage::server::Server;
use crate::storage::since_snapshot::{PAGE, Since, SinceSnapshot};
use crate::storage::snapshots::Snapshots;

/// In two statements: MySQL and MariaDB plan a statement each time it runs, and one for both would take
/// longer to plan than the way back and forth.
impl<C: Server<Backend = Mysql>> SinceSnapshot for lent::Mysql<'_, C> {
    async fn since_snapshot(&mut self, stream: &StreamId, version: i32) -> QueryResult<Since> {
        let snapshot = self.snapshot(stream, version).await?;
        let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.version);
        let page = StreamPart { from: after + 1, to: after + PAGE, direction: Direction::Forward };
        let events = self.read_stream(stream, page).await?;
        let is_all = events.last().map_or(after, RecordedEvent::version) < page.to;
        Ok(Since { snapshot, events, is_all })
    }
}
