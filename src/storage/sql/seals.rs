//! The statements on `event_seals`.

use chrono::{DateTime, Utc};
use diesel::deserialize;
use diesel::expression::QueryMetadata;
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::sql_types::{BigInt, Text};

use crate::model::position::Position;
use crate::model::seal::Seal;
use crate::storage::executor::Executor;
use crate::storage::lent::{BackendOf, Lent};
use crate::storage::seals::Seals;
use crate::storage::sql::dialect::{Dialect, Time};
use crate::storage::sql::row::{Columns, value};
use crate::storage::sql::rows::{FromRow, Stored};
use crate::storage::sql::statement::statement;

type SealColumns = (BigInt, BigInt, Text, Time);

impl<DB: Columns> FromRow<DB> for Seal {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        Ok(Self {
            position: Position::stored(value(row, 0, DB::long)?),
            events: value(row, 1, DB::long)?,
            chain: value(row, 2, DB::text)?.into(),
            sealed_at: value(row, 3, DB::time)?,
        })
    }
}

statement! {
    for every database;
    SelectSeals -> SealColumns,
    "SELECT global_position, events, chain, sealed_at FROM event_seals ORDER BY global_position{all}"
}

statement! {
    for every database;
    SelectLastSeal -> SealColumns,
    "SELECT global_position, events, chain, sealed_at FROM event_seals ORDER BY global_position DESC LIMIT 1"
}

statement! {
    for every database;
    InsertSeal<'a> {
        position: i64 => bind_long,
        events: i64 => bind_long,
        chain: &'a str => bind_text,
        sealed_at: DateTime<Utc> => bind_time,
    },
    "INSERT INTO event_seals (global_position, events, chain, sealed_at) VALUES (?, ?, ?, ?)"
}

impl<L> Seals for L
where
    L: Lent,
    BackendOf<L>: Dialect + QueryMetadata<SealColumns>,
{
    async fn seals(&mut self) -> QueryResult<Vec<Seal>> {
        self.connection().load(SelectSeals, Stored::default()).await
    }

    async fn last_seal(&mut self) -> QueryResult<Option<Seal>> {
        Ok(self.connection().load(SelectLastSeal, Stored::default()).await?.pop())
    }

    async fn insert_seal(&mut self, seal: &Seal) -> QueryResult<()> {
        let (position, events, chain) = (seal.position.get(), seal.events, &*seal.chain);
        let insert = InsertSeal { position, events, chain, sealed_at: seal.sealed_at };
        self.connection().execute(insert).await.map(drop)
    }
}
