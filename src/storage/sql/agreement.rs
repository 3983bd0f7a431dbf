//! The statements that find what does not agree with the events. Each reads an index of all of them.

use diesel::deserialize;
use diesel::expression::QueryMetadata;
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::sql_types::{BigInt, Nullable, Text};
use uuid::Uuid;

use crate::storage::agreement::{Agreement, WrongHead};
use crate::storage::executor::Executor;
use crate::storage::lent::{BackendOf, Lent};
use crate::storage::sql::dialect::{Dialect, Id};
use crate::storage::sql::row::{Columns, optional, stream, value};
use crate::storage::sql::rows::{FromRow, Stored};
use crate::storage::sql::statement::statement;

type HeadColumns = (Text, Text, Text, BigInt, Nullable<BigInt>);

impl<DB: Columns> FromRow<DB> for WrongHead {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        Ok(Self {
            stream: stream(row, 0)?,
            last: value(row, 3, DB::long)?,
            head: optional(row, 4, DB::long)?,
        })
    }
}

statement! {
    for every database;
    /// One statement, so that appends that are under way do not disagree with themselves.
    SelectWrongHeads { limit: i64 => bind_long } -> HeadColumns,
    "SELECT stream.tenant_id, stream.aggregate_type, stream.aggregate_id, stream.last_version, \
     head.aggregate_version FROM \
     (SELECT tenant_id, aggregate_type, aggregate_id, MAX(aggregate_version) AS last_version FROM events \
     GROUP BY tenant_id, aggregate_type, aggregate_id) AS stream \
     LEFT JOIN aggregate_heads AS head ON head.tenant_id = stream.tenant_id \
     AND head.aggregate_type = stream.aggregate_type AND head.aggregate_id = stream.aggregate_id \
     WHERE head.aggregate_version IS NULL OR head.aggregate_version <> stream.last_version \
     ORDER BY stream.tenant_id, stream.aggregate_type, stream.aggregate_id LIMIT ?"
}

statement! {
    for every database;
    SelectSharedIds { limit: i64 => bind_long } -> Id,
    "SELECT event_id FROM events GROUP BY event_id HAVING COUNT(*) > 1 ORDER BY event_id LIMIT ?"
}

impl<L> Agreement for L
where
    L: Lent,
    BackendOf<L>: Dialect + QueryMetadata<HeadColumns> + QueryMetadata<Id>,
{
    async fn wrong_heads(&mut self, limit: i64) -> QueryResult<Vec<WrongHead>> {
        self.connection().load(SelectWrongHeads { limit }, Stored::default()).await
    }

    async fn shared_ids(&mut self, limit: i64) -> QueryResult<Vec<Uuid>> {
        self.connection().load(SelectSharedIds { limit }, Stored::default()).await
    }
}
