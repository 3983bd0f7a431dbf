use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Text};

use super::statement::statement;
use super::text::{TimeText, time_text};
use crate::checkpoint::Checkpoint;
use crate::position::Position;
use crate::schema::sqlite::projection_checkpoints;

statement! {
    /// Puts a checkpoint at a position, if it lies between two others or does not exist yet.
    PutCheckpoint<'a> {
        projection_name: &'a str => Text,
        position: i64 => BigInt,
        updated_at: &'a str => Text,
        highest: i64 => BigInt,
    },
    "INSERT INTO projection_checkpoints (projection_name, last_global_position, updated_at) \
     VALUES (?, ?, ?) \
     ON CONFLICT (projection_name) DO UPDATE \
     SET last_global_position = excluded.last_global_position, updated_at = excluded.updated_at \
     WHERE last_global_position <= ?"
}

#[derive(Queryable)]
struct CheckpointRow {
    projection_name: String,
    last_global_position: i64,
    updated_at: TimeText,
}

impl From<CheckpointRow> for Checkpoint {
    fn from(row: CheckpointRow) -> Self {
        Checkpoint {
            projection_name: row.projection_name,
            position: Position::stored(row.last_global_position),
            updated_at: row.updated_at.0,
        }
    }
}

pub(super) fn load(conn: &mut SqliteConnection, projection_name: &str) -> QueryResult<Option<Checkpoint>> {
    let row = projection_checkpoints::table
        .filter(projection_checkpoints::projection_name.eq(projection_name))
        .get_result::<CheckpointRow>(conn)
        .optional()?;
    Ok(row.map(Checkpoint::from))
}

pub(super) fn list(conn: &mut SqliteConnection) -> QueryResult<Vec<Checkpoint>> {
    let rows: Vec<CheckpointRow> =
        projection_checkpoints::table.order(projection_checkpoints::projection_name.asc()).load(conn)?;
    Ok(rows.into_iter().map(Checkpoint::from).collect())
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

pub(super) fn delete(conn: &mut SqliteConnection, projection_name: &str) -> QueryResult<bool> {
    let named = projection_checkpoints::projection_name.eq(projection_name);
    let deleted = diesel::delete(projection_checkpoints::table.filter(named)).execute(conn)?;
    Ok(deleted > 0)
}
