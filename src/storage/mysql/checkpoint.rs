use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Datetime, Text};

use super::fence::last_insert_id;
use super::time::UtcTime;
use crate::model::checkpoint::Checkpoint;
use crate::model::position::Position;
use crate::storage::sql::statement::statement;

statement! {
    for MysqlConnection;
    /// Puts a checkpoint at a position, if it does not lie above `highest` or does not exist yet. LAST_INSERT_ID keeps
    /// where it was; the number of affected rows does not tell. Assignments are made from left to right.
    PutCheckpoint<'a> {
        projection_name: &'a str => Text,
        position: i64 => BigInt,
        updated_at: UtcTime => Datetime,
        highest: i64 => BigInt,
        then_updated_at: UtcTime => Datetime,
        again_highest: i64 => BigInt,
        then_position: i64 => BigInt,
    },
    "INSERT INTO projection_checkpoints (projection_name, last_global_position, updated_at) \
     VALUES (?, LAST_INSERT_ID(0) + ?, ?) \
     ON DUPLICATE KEY UPDATE \
     updated_at = IF(last_global_position <= ?, ?, updated_at), \
     last_global_position = IF(LAST_INSERT_ID(last_global_position) <= ?, ?, last_global_position)"
}

pub(super) fn advance(conn: &mut MysqlConnection, checkpoint: &Checkpoint) -> QueryResult<bool> {
    put(conn, checkpoint, checkpoint.position)
}

pub(super) fn set(conn: &mut MysqlConnection, checkpoint: &Checkpoint) -> QueryResult<()> {
    put(conn, checkpoint, Position::END).map(drop)
}

/// Whether the checkpoint did not lie above `highest` and has been put.
fn put(conn: &mut MysqlConnection, checkpoint: &Checkpoint, highest: Position) -> QueryResult<bool> {
    let (position, updated_at, highest) =
        (checkpoint.position.get(), UtcTime(checkpoint.updated_at), highest.get());
    PutCheckpoint {
        projection_name: &checkpoint.projection_name,
        position,
        updated_at,
        highest,
        then_updated_at: updated_at,
        again_highest: highest,
        then_position: position,
    }
    .execute(conn)?;
    Ok(last_insert_id(conn)? <= highest)
}
