//! The statements on `snapshots`.

use diesel::deserialize;
use diesel::expression::QueryMetadata;
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::sql_types::{BigInt, Text};
use uuid::Uuid;

use crate::model::json::Json;
use crate::model::snapshot::Snapshot;
use crate::model::stream_id::StreamId;
use crate::storage::executor::Executor;
use crate::storage::lent::{BackendOf, Lent};
use crate::storage::snapshots::Snapshots;
use crate::storage::sql::dialect::{Dialect, Id};
use crate::storage::sql::row::{Columns, stream, value};
use crate::storage::sql::rows::{FromRow, Stored};
use crate::storage::sql::statement::statement;

statement! {
    for every database;
    /// The snapshot, if the stream has its event.
    SelectSnapshot<'a> {
        tenant_id: &'a str => bind_tenant,
        aggregate_type: &'a str => bind_text,
        aggregate_id: &'a str => bind_text,
        version: i32 => bind_integer,
    } -> (BigInt, Id, Text),
    "SELECT snapshot.aggregate_version, snapshot.event_id, snapshot.state FROM snapshots AS snapshot \
     JOIN events AS last ON last.tenant_id = snapshot.tenant_id \
     AND last.aggregate_type = snapshot.aggregate_type AND last.aggregate_id = snapshot.aggregate_id \
     AND last.aggregate_version = snapshot.aggregate_version AND last.event_id = snapshot.event_id \
     WHERE snapshot.tenant_id = ? AND snapshot.aggregate_type = ? AND snapshot.aggregate_id = ? \
     AND snapshot.snapshot_version = ?{as_they_are}"
}

statement! {
    for every database;
    PutSnapshot<'a> {
        tenant_id: &'a str => bind_tenant,
        aggregate_type: &'a str => bind_text,
        aggregate_id: &'a str => bind_text,
        version: i32 => bind_integer,
        aggregate_version: i64 => bind_long,
        event_id: Uuid => bind_id,
        state: &'a str => bind_text,
    },
    "INSERT INTO snapshots \
     (tenant_id, aggregate_type, aggregate_id, snapshot_version, aggregate_version, event_id, state) \
     VALUES (?, ?, ?, ?, ?, ?, ?) {or_replace}"
}

statement! {
    for every database;
    /// The ids of events begin with the time.
    SelectStreams<'a> {
        aggregate_type: &'a str => bind_text,
        version: i32 => bind_integer,
        limit: i64 => bind_long,
    } -> (Text, Text, Text),
    "SELECT tenant_id, aggregate_type, aggregate_id FROM snapshots \
     WHERE aggregate_type = ? AND snapshot_version = ?{as_they_are} ORDER BY event_id LIMIT ?"
}

statement! {
    for every database;
    DeleteBelow<'a> { aggregate_type: &'a str => bind_text, version: i64 => bind_long },
    "DELETE FROM snapshots WHERE aggregate_type = ? AND snapshot_version < ?"
}

impl<DB: Columns> FromRow<DB> for Snapshot {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        Ok(Self {
            version: value(row, 0, DB::long)?,
            event_id: value(row, 1, DB::id)?,
            state: value(row, 2, DB::text).map(Json::stored)?,
        })
    }
}

impl<DB: Columns> FromRow<DB> for StreamId {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        stream(row, 0)
    }
}

impl<L> Snapshots for L
where
    L: Lent,
    BackendOf<L>: Dialect + QueryMetadata<(BigInt, Id, Text)> + QueryMetadata<(Text, Text, Text)>,
{
    async fn snapshot(&mut self, stream: &StreamId, version: i32) -> QueryResult<Option<Snapshot>> {
        let select = SelectSnapshot {
            tenant_id: stream.tenant_column(),
            aggregate_type: stream.aggregate_type(),
            aggregate_id: stream.aggregate_id(),
            version,
        };
        Ok(self.connection().load(select, Stored::default()).await?.pop())
    }

    async fn put_snapshot(
        &mut self,
        stream: &StreamId,
        version: i32,
        snapshot: &Snapshot,
    ) -> QueryResult<()> {
        let put = PutSnapshot {
            tenant_id: stream.tenant_column(),
            aggregate_type: stream.aggregate_type(),
            aggregate_id: stream.aggregate_id(),
            version,
            aggregate_version: snapshot.version,
            event_id: snapshot.event_id,
            state: snapshot.state.as_str(),
        };
        self.connection().execute(put).await.map(drop)
    }

    async fn streams_with_snapshots(
        &mut self,
        aggregate_type: &str,
        version: i32,
        limit: i64,
    ) -> QueryResult<Vec<StreamId>> {
        let select = SelectStreams { aggregate_type, version, limit };
        self.connection().load(select, Stored::default()).await
    }

    async fn delete_snapshots_below(&mut self, aggregate_type: &str, version: i64) -> QueryResult<usize> {
        self.connection().execute(DeleteBelow { aggregate_type, version }).await
    }
}
