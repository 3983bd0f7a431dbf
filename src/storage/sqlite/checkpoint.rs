use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Text};

use super::text::time_text;
use crate::model::checkpoint::Checkpoint;
use crate::model::position::Position;
use crate::storage::sql::statement::statement;

statement! {
    for SqliteConnection;
    /// Puts a checkpoint at a position, if it lies between two others or does not exist yet.
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

pub(super) fn advance(conn: &mut SqliteConnection, checkpoint: &Checkpoint) -> QueryResult<bool> {
    put(conn, checkpoint, checkpoint.position)
}

pub(super) fn set(conn: &mut SqliteConnection, checkpoint: &Checkpoint) -> QueryResult<()> {
    put(conn, checkpoint, Position::END).map(drop)
}

/// Whether the checkpoint did not lie above `highest` and has been put.
fn put(conn: &mut SqliteConnection, checkpoint: &Checkpoint, highest: Position) -> QueryResult<bool> {
    let written = PutCheckpoint {
        projection_name: &checkpoint.projection_name,
        position: checkpoint.position.get(),
        updated_at: &time_text(checkpoint.updated_at),
        highest: highest.get(),
    }
    .execute(conn)?;
    Ok(written > 0)
}
