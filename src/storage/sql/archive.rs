//! The statements by which events leave the log, and come back.

use chrono::{DateTime, Utc};
use diesel::deserialize;
use diesel::expression::QueryMetadata;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::sql_types::{BigInt, Text};

use crate::model::leaf::Leaf;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::model::timestamp;
use crate::storage::archive::{Archive, EndedStream};
use crate::storage::executor::Executor;
use crate::storage::lent::{BackendOf, Lent};
use crate::storage::sql::dialect::Dialect;
use crate::storage::sql::row::{Columns, stream, value};
use crate::storage::sql::rows::{FromRow, Stored};
use crate::storage::sql::statement::statement;

type EndedColumns = (Text, Text, Text, BigInt, BigInt, BigInt);

/// In one statement: three values each, and old versions of SQLite take 999.
const ROWS: usize = 300;

impl<DB: Columns> FromRow<DB> for EndedStream {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        Ok(Self {
            stream: stream(row, 0)?,
            first_version: value(row, 3, DB::long)?,
            version: value(row, 4, DB::long)?,
            events: value(row, 5, DB::long)?,
        })
    }
}

statement! {
    for every database;
    /// The keys are compared one by one, because MySQL uses no index for pairs. Any of them may be empty, as
    /// a tenant: then it begins with the first stream.
    SelectEnded<'a> {
        before: i64 => bind_long,
        after_tenant: &'a str => bind_tenant,
        tenant_id: &'a str => bind_tenant,
        after_type: &'a str => bind_tenant,
        aggregate_type: &'a str => bind_tenant,
        aggregate_id: &'a str => bind_tenant,
        limit: i64 => bind_long,
    } -> EndedColumns,
    "SELECT head.tenant_id, head.aggregate_type, head.aggregate_id, \
     (SELECT MIN(events.aggregate_version) FROM events WHERE events.tenant_id = head.tenant_id \
     AND events.aggregate_type = head.aggregate_type AND events.aggregate_id = head.aggregate_id), \
     head.aggregate_version, \
     (SELECT COUNT(*) FROM events WHERE events.tenant_id = head.tenant_id \
     AND events.aggregate_type = head.aggregate_type AND events.aggregate_id = head.aggregate_id) \
     FROM aggregate_heads AS head \
     JOIN events AS last_event ON last_event.tenant_id = head.tenant_id \
     AND last_event.aggregate_type = head.aggregate_type AND last_event.aggregate_id = head.aggregate_id \
     AND last_event.aggregate_version = head.aggregate_version \
     WHERE last_event.global_position < ? AND (head.tenant_id > ? OR (head.tenant_id = ? \
     AND (head.aggregate_type > ? OR (head.aggregate_type = ? AND head.aggregate_id > ?)))) \
     ORDER BY head.tenant_id, head.aggregate_type, head.aggregate_id LIMIT ?"
}

statement! {
    for every database;
    ArchiveHead<'a> {
        archived_version: i64 => bind_long,
        tenant_id: &'a str => bind_tenant,
        aggregate_type: &'a str => bind_text,
        aggregate_id: &'a str => bind_text,
        version: i64 => bind_long,
    },
    "UPDATE aggregate_heads SET archived_version = ? \
     WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ? AND aggregate_version = ?"
}

statement! {
    for every database;
    SetArchivedVersion<'a> {
        version: i64 => bind_long,
        tenant_id: &'a str => bind_tenant,
        aggregate_type: &'a str => bind_text,
        aggregate_id: &'a str => bind_text,
    },
    "UPDATE aggregate_heads SET archived_version = ? \
     WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ?"
}

statement! {
    for every database;
    DeleteEvents<'a> {
        tenant_id: &'a str => bind_tenant,
        aggregate_type: &'a str => bind_text,
        aggregate_id: &'a str => bind_text,
        version: i64 => bind_long,
    },
    "DELETE FROM events \
     WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ? AND aggregate_version <= ?"
}

statement! {
    for every database;
    DeleteSnapshots<'a> {
        tenant_id: &'a str => bind_tenant,
        aggregate_type: &'a str => bind_text,
        aggregate_id: &'a str => bind_text,
    },
    "DELETE FROM snapshots WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ?"
}

/// How a row of `event_rewrites` is written.
struct NewLeaf<'l> {
    position: i64,
    hash: &'l str,
    now: DateTime<Utc>,
}

impl<'l> NewLeaf<'l> {
    fn new(leaf: &'l Leaf, now: DateTime<Utc>) -> Self {
        Self { position: leaf.position.get(), hash: &leaf.hash, now }
    }
}

struct InsertLeaves<'r, 'l>(&'r [NewLeaf<'l>]);

impl<DB: Dialect> QueryFragment<DB> for InsertLeaves<'_, '_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared(); // each number of rows would be another statement
        out.push_sql("INSERT INTO event_rewrites (global_position, leaf, reason, rewritten_at) VALUES ");
        for (index, NewLeaf { position, hash, now }) in self.0.iter().enumerate() {
            out.push_sql(if index == 0 { "(" } else { ", (" });
            DB::bind_long(&mut out, position)?;
            out.push_sql(", ");
            DB::bind_text(&mut out, hash)?;
            out.push_sql(", 'archived', ");
            DB::bind_time(&mut out, now)?;
            out.push_sql(")");
        }
        Ok(())
    }
}

impl QueryId for InsertLeaves<'_, '_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

statement! {
    for every database;
    SelectArchived { after: i64 => bind_long, up_to: i64 => bind_long, limit: i64 => bind_long } -> BigInt,
    "SELECT global_position FROM event_rewrites AS rewritten \
     WHERE global_position > ? AND global_position <= ? \
     AND NOT EXISTS (SELECT 1 FROM events WHERE events.global_position = rewritten.global_position) \
     ORDER BY global_position LIMIT ?"
}

struct ForgetLeaves(Vec<i64>);

impl<DB: Dialect> QueryFragment<DB> for ForgetLeaves {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("DELETE FROM event_rewrites WHERE global_position IN (");
        for (index, position) in self.0.iter().enumerate() {
            if index > 0 {
                out.push_sql(", ");
            }
            DB::bind_long(&mut out, position)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

impl QueryId for ForgetLeaves {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<L> Archive for L
where
    L: Lent,
    BackendOf<L>: Dialect + QueryMetadata<EndedColumns> + QueryMetadata<BigInt>,
{
    async fn ended_streams(
        &mut self,
        before: Position,
        behind: Option<&StreamId>,
        limit: i64,
    ) -> QueryResult<Vec<EndedStream>> {
        let [tenant_id, aggregate_type, aggregate_id] = behind.map_or([""; 3], key);
        let select = SelectEnded {
            before: before.get(),
            after_tenant: tenant_id,
            tenant_id,
            after_type: aggregate_type,
            aggregate_type,
            aggregate_id,
            limit,
        };
        self.connection().load(select, Stored::default()).await
    }

    async fn archived_positions(
        &mut self,
        after: Position,
        up_to: Position,
        limit: i64,
    ) -> QueryResult<Vec<Position>> {
        let select = SelectArchived { after: after.get(), up_to: up_to.get(), limit };
        self.connection().load(select, Stored::default()).await
    }

    async fn insert_leaves(&mut self, leaves: &[Leaf]) -> QueryResult<()> {
        let now = timestamp::now();
        for leaves in leaves.chunks(ROWS) {
            let rows: Vec<_> = leaves.iter().map(|leaf| NewLeaf::new(leaf, now)).collect();
            self.connection().execute(InsertLeaves(&rows)).await?;
        }
        Ok(())
    }

    async fn archive_head(&mut self, stream: &StreamId, version: i64) -> QueryResult<bool> {
        let [tenant_id, aggregate_type, aggregate_id] = key(stream);
        let archive =
            ArchiveHead { archived_version: version, tenant_id, aggregate_type, aggregate_id, version };
        Ok(self.connection().execute(archive).await? > 0)
    }

    async fn set_archived_version(&mut self, stream: &StreamId, version: i64) -> QueryResult<()> {
        let [tenant_id, aggregate_type, aggregate_id] = key(stream);
        let set = SetArchivedVersion { version, tenant_id, aggregate_type, aggregate_id };
        self.connection().execute(set).await.map(drop)
    }

    async fn remove_stream(&mut self, stream: &StreamId, version: i64) -> QueryResult<usize> {
        let [tenant_id, aggregate_type, aggregate_id] = key(stream);
        self.connection().execute(DeleteSnapshots { tenant_id, aggregate_type, aggregate_id }).await?;
        let delete = DeleteEvents { tenant_id, aggregate_type, aggregate_id, version };
        self.connection().execute(delete).await
    }

    async fn forget_leaves(&mut self, positions: &[Position]) -> QueryResult<()> {
        for positions in positions.chunks(ROWS) {
            let forget = ForgetLeaves(positions.iter().map(|position| position.get()).collect());
            self.connection().execute(forget).await?;
        }
        Ok(())
    }
}

fn key(stream: &StreamId) -> [&str; 3] {
    [stream.tenant_column(), stream.aggregate_type(), stream.aggregate_id()]
}
