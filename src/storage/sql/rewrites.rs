//! The statements that read what was archived.

use diesel::deserialize;
use diesel::expression::QueryMetadata;
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::sql_types::{BigInt, Text};

use crate::model::leaf::Leaf;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::storage::executor::Executor;
use crate::storage::lent::{BackendOf, Lent};
use crate::storage::rewrites::Rewrites;
use crate::storage::sql::dialect::Dialect;
use crate::storage::sql::row::{Columns, value};
use crate::storage::sql::rows::{FromRow, Stored};
use crate::storage::sql::statement::statement;

impl<DB: Columns> FromRow<DB> for Leaf {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        Ok(Self { position: Position::stored(value(row, 0, DB::long)?), hash: value(row, 1, DB::text)? })
    }
}

impl<DB: Columns> FromRow<DB> for i64 {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        value(row, 0, DB::long)
    }
}

statement! {
    for every database;
    /// An event that is being archived may still be there.
    SelectArchivedTo -> BigInt,
    "SELECT global_position FROM event_rewrites AS rewritten \
     WHERE NOT EXISTS (SELECT 1 FROM events WHERE events.global_position = rewritten.global_position) \
     ORDER BY global_position DESC LIMIT 1"
}

statement! {
    for every database;
    SelectArchivedVersion<'a> {
        tenant_id: &'a str => bind_tenant,
        aggregate_type: &'a str => bind_text,
        aggregate_id: &'a str => bind_text,
    } -> BigInt,
    "SELECT archived_version FROM aggregate_heads \
     WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ?"
}

statement! {
    for every database;
    SelectFirstVersion<'a> {
        head_tenant_id: &'a str => bind_tenant,
        head_aggregate_type: &'a str => bind_text,
        head_aggregate_id: &'a str => bind_text,
        tenant_id: &'a str => bind_tenant,
        aggregate_type: &'a str => bind_text,
        aggregate_id: &'a str => bind_text,
    } -> BigInt,
    "SELECT COALESCE(MIN(aggregate_version), (SELECT aggregate_version + 1 FROM aggregate_heads \
     WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ?), 1) FROM events \
     WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ?"
}

statement! {
    for every database;
    SelectLeaves {
        after: i64 => bind_long,
        up_to: i64 => bind_long,
        limit: i64 => bind_long,
    } -> (BigInt, Text),
    "SELECT global_position, leaf FROM event_rewrites WHERE global_position > ? AND global_position <= ? \
     ORDER BY global_position LIMIT ?"
}

statement! {
    for every database;
    CountEventsBetween {
        after: i64 => bind_long,
        up_to: i64 => bind_long,
    } -> BigInt,
    "SELECT COUNT(*) FROM events WHERE global_position > ? AND global_position <= ?"
}

impl<L> Rewrites for L
where
    L: Lent,
    BackendOf<L>: Dialect + QueryMetadata<BigInt> + QueryMetadata<(BigInt, Text)>,
{
    async fn archived_to(&mut self) -> QueryResult<Position> {
        let last = self.connection().load(SelectArchivedTo, Stored::<Position>::default()).await?.pop();
        Ok(last.unwrap_or(Position::START))
    }

    async fn archived_version(&mut self, stream: &StreamId) -> QueryResult<i64> {
        let select = SelectArchivedVersion {
            tenant_id: stream.tenant_column(),
            aggregate_type: stream.aggregate_type(),
            aggregate_id: stream.aggregate_id(),
        };
        Ok(self.connection().load(select, Stored::<i64>::default()).await?.pop().unwrap_or(0))
    }

    async fn first_version(&mut self, stream: &StreamId) -> QueryResult<i64> {
        let (tenant_id, aggregate_type) = (stream.tenant_column(), stream.aggregate_type());
        let aggregate_id = stream.aggregate_id();
        let select = SelectFirstVersion {
            head_tenant_id: tenant_id,
            head_aggregate_type: aggregate_type,
            head_aggregate_id: aggregate_id,
            tenant_id,
            aggregate_type,
            aggregate_id,
        };
        Ok(self.connection().load(select, Stored::<i64>::default()).await?.pop().unwrap_or(1))
    }

    async fn leaves(&mut self, after: Position, up_to: Position, limit: i64) -> QueryResult<Vec<Leaf>> {
        let select = SelectLeaves { after: after.get(), up_to: up_to.get(), limit };
        self.connection().load(select, Stored::default()).await
    }

    async fn events_between(&mut self, after: Position, up_to: Position) -> QueryResult<i64> {
        let count = CountEventsBetween { after: after.get(), up_to: up_to.get() };
        Ok(self.connection().load(count, Stored::<i64>::default()).await?.pop().unwrap_or(0))
    }
}
