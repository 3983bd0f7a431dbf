use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;

use super::queries;
use super::text::time_text;
use super::transactions::refuse_ended_transaction;
use crate::model::checkpoint::Checkpoint;
use crate::storage::checkpoints::Checkpoints;
use crate::storage::executor::Executor;
use crate::storage::lent;
use crate::storage::sql::rows::Stored;
use crate::storage::sql::statement::statement;

statement! {
    for Sqlite;
    /// Puts a checkpoint at a position, unless it lies further on already.
    PutCheckpoint<'a> {
        projection_name: &'a str => Text,
        position: i64 => BigInt,
        updated_at: &'a str => Text,
        highest: i64 => BigInt,
    },
    "INSERT INTO projection_checkpoints (projection_name, last_global_position, updated_at) \
     VALUES (?, ?, ?) \
     ON CONFLICT (projection_name, projection_version, partition_number) DO UPDATE \
     SET last_global_position = excluded.last_global_position, updated_at = excluded.updated_at \
     WHERE last_global_position <= ?"
}

impl Checkpoints for lent::Sqlite<'_> {
    async fn checkpoint(&mut self, projection_name: &str) -> QueryResult<Option<Checkpoint>> {
        Ok(self.0.load(queries::checkpoint(projection_name), Stored::default()).await?.pop())
    }

    async fn checkpoints(&mut self) -> QueryResult<Vec<Checkpoint>> {
        self.0.load(queries::every_checkpoint(), Stored::default()).await
    }

    async fn advance_checkpoint(&mut self, checkpoint: &Checkpoint) -> QueryResult<bool> {
        put(self.0, checkpoint)
    }
}

/// Whether the checkpoint did not lie further on and has been put. Without the transaction that it belongs
/// to, it would say of events that were rolled back that they are done.
fn put(conn: &mut SqliteConnection, checkpoint: &Checkpoint) -> QueryResult<bool> {
    refuse_ended_transaction(conn)?;
    let written = PutCheckpoint {
        projection_name: &checkpoint.projection_name,
        position: checkpoint.position.get(),
        updated_at: &time_text(checkpoint.updated_at),
        highest: checkpoint.position.get(),
    }
    .execute(conn)?;
    Ok(written > 0)
}
