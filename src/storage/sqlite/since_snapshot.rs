use diesel::result::QueryResult;

use crate::model::stream_id::StreamId;
use crate::storage::lent::Sqlite;
use crate::storage::since_snapshot::{Since, SinceSnapshot};
use crate::storage::sql::since_snapshot::since_snapshot;

impl SinceSnapshot for Sqlite<'_> {
    async fn since_snapshot(&mut self, stream: &StreamId, version: i32) -> QueryResult<Since> {
        since_snapshot(self.0, stream, version).await
    }
}
