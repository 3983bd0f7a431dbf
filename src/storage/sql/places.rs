//! The statements on `events` that look up a single one.

use chrono::{DateTime, Utc};
use diesel::deserialize;
use diesel::expression::QueryMetadata;
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::sql_types::BigInt;
use uuid::Uuid;

use crate::model::position::Position;
use crate::storage::executor::Executor;
use crate::storage::lent::{BackendOf, Lent};
use crate::storage::places::Places;
use crate::storage::sql::dialect::{Dialect, Id, Time};
use crate::storage::sql::row::{Columns, value};
use crate::storage::sql::rows::{FromRow, Stored};
use crate::storage::sql::statement::statement;

impl<DB: Columns> FromRow<DB> for Uuid {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        value(row, 0, DB::id)
    }
}

impl<DB: Columns> FromRow<DB> for DateTime<Utc> {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        value(row, 0, DB::time)
    }
}

impl<DB: Columns> FromRow<DB> for Position {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        value(row, 0, DB::long).map(Self::stored)
    }
}

statement! {
    for every database;
    SelectIdAt { position: i64 => bind_long } -> Id,
    "SELECT event_id FROM events WHERE global_position = ?"
}

statement! {
    for every database;
    SelectCreatedAfter { position: i64 => bind_long } -> Time,
    "SELECT created_at FROM events WHERE global_position > ? ORDER BY global_position LIMIT 1"
}

statement! {
    for every database;
    SelectFirstSince { time: DateTime<Utc> => bind_time } -> BigInt,
    "SELECT global_position FROM events WHERE created_at >= ? ORDER BY global_position LIMIT 1"
}

impl<L> Places for L
where
    L: Lent,
    BackendOf<L>: Dialect + QueryMetadata<Id> + QueryMetadata<Time> + QueryMetadata<BigInt>,
{
    async fn event_id_at(&mut self, position: Position) -> QueryResult<Option<Uuid>> {
        Ok(self.connection().load(SelectIdAt { position: position.get() }, Stored::default()).await?.pop())
    }

    async fn created_after(&mut self, position: Position) -> QueryResult<Option<DateTime<Utc>>> {
        let select = SelectCreatedAfter { position: position.get() };
        Ok(self.connection().load(select, Stored::default()).await?.pop())
    }

    async fn first_since(&mut self, time: DateTime<Utc>) -> QueryResult<Option<Position>> {
        Ok(self.connection().load(SelectFirstSince { time }, Stored::default()).await?.pop())
    }
}
