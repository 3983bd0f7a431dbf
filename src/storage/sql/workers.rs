//! The statements on `projection_workers`.

use std::time::Duration;

use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::result::QueryResult;
use diesel::sql_types::Text;

use crate::model::projection_id::ProjectionId;
use crate::storage::executor::Executor;
use crate::storage::lent::{BackendOf, Lent};
use crate::storage::sql::dialect::Dialect;
use crate::storage::sql::lease::millis;
use crate::storage::sql::statement::statement;
use crate::storage::workers::Workers;

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
     AND seen_until > {now} ORDER BY worker"
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
    BackendOf<L>: Dialect + QueryMetadata<Text>,
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

    async fn forget_worker(&mut self, projection: &ProjectionId, worker: &str) -> QueryResult<()> {
        let (name, version) = (&*projection.name, projection.version);
        self.connection().execute(ForgetWorkers { name, version, worker }).await.map(drop)
    }
}
