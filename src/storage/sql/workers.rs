//! The statements on `projection_workers`.

use std::time::Duration;

use diesel::deserialize::{self, FromSqlRow};
use diesel::expression::QueryMetadata;
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::sql_types::{BigInt, Text};

use crate::model::projection_id::ProjectionId;
use crate::storage::executor::Executor;
use crate::storage::lent::{BackendOf, Lent};
use crate::storage::sql::dialect::Dialect;
use crate::storage::sql::lease::millis;
use crate::storage::sql::row::{Columns, value};
use crate::storage::sql::rows::{FromRow, Stored};
use crate::storage::sql::statement::statement;
use crate::storage::workers::{Sharing, Workers};

statement! {
    for every database;
    SeeWorker<'a> {
        lease: i64 => bind_long,
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        worker: &'a str => bind_text,
    },
    "UPDATE projection_workers SET seen_until = {now} + ? \
     WHERE projection_name = ? AND projection_version = ? AND worker = ?"
}

statement! {
    for every database;
    AddWorker<'a> {
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        worker: &'a str => bind_text,
        lease: i64 => bind_long,
    },
    "INSERT INTO projection_workers (projection_name, projection_version, worker, seen_until) \
     VALUES (?, ?, ?, {now} + ?)"
}

statement! {
    for every database;
    SelectWorkers<'a> { name: &'a str => bind_text, version: i32 => bind_integer } -> Text,
    "SELECT worker FROM projection_workers WHERE projection_name = ? AND projection_version = ? \
     AND seen_until > {now} ORDER BY worker{all}"
}

statement! {
    for every database;
    /// At most one request, by the index that has the requests.
    SelectSharing<'a> {
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        workers_name: &'a str => bind_text,
        workers_version: i32 => bind_integer,
        furthest_name: &'a str => bind_text,
        furthest_version: i32 => bind_integer,
        parked_name: &'a str => bind_text,
        parked_version: i32 => bind_integer,
    } -> (BigInt, BigInt, BigInt, BigInt),
    "SELECT (SELECT count(*) FROM projection_checkpoints WHERE projection_name = ? AND projection_version = ? \
     AND state = 'active' AND (leased_until IS NULL OR leased_until <= {now})), \
     (SELECT count(*) FROM projection_workers WHERE projection_name = ? AND projection_version = ? \
     AND seen_until > {now}), \
     (SELECT coalesce(max(last_global_position), 0) FROM projection_checkpoints \
     WHERE projection_name = ? AND projection_version = ?), \
     (SELECT count(*) FROM (SELECT requested FROM parked_events \
     WHERE projection_name = ? AND projection_version = ? AND requested IS NOT NULL LIMIT 1) AS requests)"
}

impl<DB: Columns> FromRow<DB> for Sharing {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        let [free, workers, furthest, requests] = [0, 1, 2, 3].map(|column| value(row, column, DB::long));
        Ok(Self { free: free?, workers: workers?, furthest: furthest?, requests: requests? })
    }
}

statement! {
    for every database;
    ForgetWorkers<'a> {
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        worker: &'a str => bind_text,
    },
    "DELETE FROM projection_workers WHERE projection_name = ? AND projection_version = ? \
     AND (worker = ? OR seen_until < {now} - 3600000)"
}

impl<L> Workers for L
where
    L: Lent,
    BackendOf<L>: Dialect + QueryMetadata<Text> + QueryMetadata<(BigInt, BigInt, BigInt, BigInt)>,
    String: FromSqlRow<Text, BackendOf<L>>,
{
    async fn report_worker(
        &mut self,
        projection: &ProjectionId,
        worker: &str,
        lease: Duration,
    ) -> QueryResult<()> {
        let (name, version, lease) = (&*projection.name, projection.version, millis(lease));
        let seen = self.connection().execute(SeeWorker { lease, name, version, worker }).await?;
        if seen == 0 {
            self.connection().execute(AddWorker { name, version, worker, lease }).await?;
        }
        Ok(())
    }

    async fn workers(&mut self, projection: &ProjectionId) -> QueryResult<Vec<String>> {
        let (name, version) = (&*projection.name, projection.version);
        self.connection().rows(SelectWorkers { name, version }).await
    }

    async fn sharing(&mut self, projection: &ProjectionId) -> QueryResult<Sharing> {
        let (name, version) = (&*projection.name, projection.version);
        let select = SelectSharing {
            name,
            version,
            workers_name: name,
            workers_version: version,
            furthest_name: name,
            furthest_version: version,
            parked_name: name,
            parked_version: version,
        };
        Ok(self.connection().load(select, Stored::default()).await?.pop().unwrap_or_default())
    }

    async fn forget_worker(&mut self, projection: &ProjectionId, worker: &str) -> QueryResult<()> {
        let (name, version) = (&*projection.name, projection.version);
        self.connection().execute(ForgetWorkers { name, version, worker }).await.map(drop)
    }
}
