use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Text, Timestamptz};

use super::queries;
use crate::model::checkpoint::Checkpoint;
use crate::storage::checkpoints::Checkpoints;
use crate::storage::executor::Executor;
use crate::storage::lent::Postgres;
use crate::storage::sql::rows::Stored;
use crate::storage::sql::statement::statement;

statement! {
    for Pg;
    /// Puts a checkpoint at a position, unless it lies further on already.
    PutCheckpoint<'a> {
        projection_name: &'a str => Text,
        position: i64 => BigInt,
        updated_at: DateTime<Utc> => Timestamptz,
        highest: i64 => BigInt,
    },
    "INSERT INTO projection_checkpoints AS saved (projection_name, last_global_position, updated_at) \
     VALUES (?, ?, ?) \
     ON CONFLICT (projection_name, projection_version, partition_number) DO UPDATE \
     SET last_global_position = excluded.last_global_position, updated_at = excluded.updated_at \
     WHERE saved.last_global_position <= ?"
}

impl<C: Executor<Backend = Pg>> Checkpoints for Postgres<'_, C> {
    async fn checkpoint(&mut self, projection_name: &str) -> QueryResult<Option<Checkpoint>> {
        Ok(self.0.load(queries::checkpoint(projection_name), Stored::default()).await?.pop())
    }

    async fn checkpoints(&mut self) -> QueryResult<Vec<Checkpoint>> {
        self.0.load(queries::every_checkpoint(), Stored::default()).await
    }

    async fn advance_checkpoint(&mut self, checkpoint: &Checkpoint) -> QueryResult<bool> {
        put(self.0, checkpoint).await
    }
}

/// Whether the checkpoint did not lie further on and has been put.
async fn put<C>(conn: &mut C, checkpoint: &Checkpoint) -> QueryResult<bool>
where
    C: Executor<Backend = Pg>,
{
    let put = PutCheckpoint {
        projection_name: &checkpoint.projection_name,
        position: checkpoint.position.get(),
        updated_at: checkpoint.updated_at,
        highest: checkpoint.position.get(),
    };
    Ok(conn.execute(put).await? > 0)
}
