use chrono::{DateTime, Utc};
use diesel::mysql::Mysql;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Text};

use super::fence::last_insert_id;
use super::guards::current;
use super::outside::{refuse_ended_transaction, refuse_endless_transaction};
use super::queries;
use crate::model::checkpoint::Checkpoint;
use crate::storage::checkpoints::Checkpoints;
use crate::storage::lent;
use crate::storage::server::Server;
use crate::storage::sql::dialect::Time;
use crate::storage::sql::rows::Stored;
use crate::storage::sql::statement::statement;

statement! {
    for Mysql;
    /// Puts a checkpoint at a position, if it does not lie above `highest` or does not exist yet.
    /// LAST_INSERT_ID keeps where it was; the number of affected rows does not tell. Assignments are made
    /// from left to right.
    PutCheckpoint<'a> {
        projection_name: &'a str => Text,
        position: i64 => BigInt,
        updated_at: DateTime<Utc> => Time,
        highest: i64 => BigInt,
        then_updated_at: DateTime<Utc> => Time,
        again_highest: i64 => BigInt,
        then_position: i64 => BigInt,
    },
    current!(
        "INSERT INTO projection_checkpoints (projection_name, last_global_position, updated_at) \
         VALUES (?, LAST_INSERT_ID(0) + ?, ?) \
         ON DUPLICATE KEY UPDATE \
         updated_at = IF(last_global_position <= ?, ?, updated_at), \
         last_global_position = IF(LAST_INSERT_ID(last_global_position) <= ?, ?, last_global_position)"
    )
}

impl<C: Server<Backend = Mysql>> Checkpoints for lent::Mysql<'_, C> {
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

/// Whether the checkpoint did not lie further on and has been put. Without the transaction that it belongs
/// to, it would say of events that were rolled back that they are done.
async fn put<C>(conn: &mut C, checkpoint: &Checkpoint) -> QueryResult<bool>
where
    C: Server<Backend = Mysql>,
{
    refuse_ended_transaction(conn).await?;
    refuse_endless_transaction(conn).await?;
    let (position, updated_at) = (checkpoint.position.get(), checkpoint.updated_at);
    let put = PutCheckpoint {
        projection_name: &checkpoint.projection_name,
        position,
        updated_at,
        highest: position,
        then_updated_at: updated_at,
        again_highest: position,
        then_position: position,
    };
    conn.execute(put).await?;
    Ok(last_insert_id(conn).await? <= position)
}
