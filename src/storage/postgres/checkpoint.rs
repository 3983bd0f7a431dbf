use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz};

use crate::model::checkpoint::Checkpoint;
use crate::model::position::Position;
use crate::storage::sql::statement::statement;

statement! {
    for PgConnection;
    /// Puts a checkpoint at a position, if it lies not above another or does not exist yet.
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

pub(super) fn advance(conn: &mut PgConnection, checkpoint: &Checkpoint) -> QueryResult<bool> {
    put(conn, checkpoint, checkpoint.position)
}

pub(super) fn set(conn: &mut PgConnection, checkpoint: &Checkpoint) -> QueryResult<()> {
    put(conn, checkpoint, Position::END).map(drop)
}

/// Whether the checkpoint did not lie above `highest` and has been put.
fn put(conn: &mut PgConnection, checkpoint: &Checkpoint, highest: Position) -> QueryResult<bool> {
    let written = PutCheckpoint {
        projection_name: &checkpoint.projection_name,
        position: checkpoint.position.get(),
        updated_at: checkpoint.updated_at,
        highest: highest.get(),
    }
    .execute(conn)?;
    Ok(written > 0)
}
