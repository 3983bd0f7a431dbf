//! The statements on `parked_events`.

use chrono::{DateTime, Utc};
use diesel::deserialize::{self, FromSqlRow};
use diesel::expression::QueryMetadata;
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use uuid::Uuid;

use crate::model::parked::{ParkReason, ParkedEvent, Request};
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::storage::executor::Executor;
use crate::storage::lent::{BackendOf, Lent};
use crate::storage::parked::Parked;
use crate::storage::sql::dialect::{Dialect, Id, Time};
use crate::storage::sql::row::{Columns, optional_word, stream, value, word};
use crate::storage::sql::rows::{FromRow, Stored};
use crate::storage::sql::statement::statement;

/// The types of the columns that `select_parked!` names.
type ParkedColumns = (BigInt, Id, Text, Text, Text, Text, Text, Integer, Time, Nullable<Text>, Integer);

macro_rules! select_parked {
    ($rest:literal) => {
        concat!(
            "SELECT global_position, event_id, tenant_id, aggregate_type, aggregate_id, reason, error, \
             attempts, parked_at, requested, holds_back FROM parked_events ",
            $rest
        )
    };
}

impl<DB: Columns> FromRow<DB> for ParkedEvent {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        Ok(Self {
            position: Position::stored(value(row, 0, DB::long)?),
            event_id: value(row, 1, DB::id)?,
            stream: stream(row, 2)?,
            reason: word(row, 5, "the reason why an event is parked", ParkReason::stored)?,
            error: value(row, 6, DB::text)?.into(),
            attempts: value(row, 7, DB::integer)?,
            parked_at: value(row, 8, DB::time)?,
            requested: optional_word(row, 9, "what is requested of a parked event", Request::stored)?,
            holds_back: value(row, 10, DB::integer)? != 0,
        })
    }
}

statement! {
    for every database;
    Park<'a> {
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        position: i64 => bind_long,
        event_id: Uuid => bind_id,
        tenant_id: &'a str => bind_tenant,
        aggregate_type: &'a str => bind_text,
        aggregate_id: &'a str => bind_text,
        reason: &'a str => bind_text,
        error: &'a str => bind_text,
        attempts: i32 => bind_integer,
        parked_at: DateTime<Utc> => bind_time,
        holds_back: i32 => bind_integer,
    },
    "INSERT INTO parked_events (projection_name, projection_version, global_position, event_id, \
     tenant_id, aggregate_type, aggregate_id, reason, error, attempts, parked_at, holds_back) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
}

statement! {
    for every database;
    SelectParked<'a> { name: &'a str => bind_text, version: i32 => bind_integer } -> ParkedColumns,
    select_parked!("WHERE projection_name = ? AND projection_version = ? ORDER BY global_position{all}")
}

statement! {
    for every database;
    SelectParkedAfter<'a> {
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        position: i64 => bind_long,
        limit: i64 => bind_long,
    } -> ParkedColumns,
    select_parked!(
        "WHERE projection_name = ? AND projection_version = ? AND global_position > ? \
         ORDER BY global_position LIMIT ?"
    )
}

statement! {
    for every database;
    SelectParkedBesideRequests<'a> {
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        of_name: &'a str => bind_text,
        of_version: i32 => bind_integer,
    } -> ParkedColumns,
    select_parked!(
        "WHERE projection_name = ? AND projection_version = ? \
         AND (tenant_id, aggregate_type, aggregate_id) IN \
         (SELECT tenant_id, aggregate_type, aggregate_id FROM parked_events \
         WHERE projection_name = ? AND projection_version = ? AND requested IS NOT NULL) \
         ORDER BY global_position{all}"
    )
}

statement! {
    for every database;
    CountParked<'a> { name: &'a str => bind_text, version: i32 => bind_integer } -> BigInt,
    "SELECT count(*) FROM parked_events WHERE projection_name = ? AND projection_version = ?"
}

statement! {
    for every database;
    RequestOfParked<'a> {
        request: &'a str => bind_text,
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        position: i64 => bind_long,
    },
    "UPDATE parked_events SET requested = ? \
     WHERE projection_name = ? AND projection_version = ? AND global_position = ?"
}

statement! {
    for every database;
    /// A discard that was asked for meanwhile is still to be served.
    Repark<'a> {
        reason: &'a str => bind_text,
        error: &'a str => bind_text,
        attempts: i32 => bind_integer,
        holds_back: i32 => bind_integer,
        name: &'a str => bind_text,
        version: i32 => bind_integer,
        position: i64 => bind_long,
    },
    "UPDATE parked_events SET reason = ?, error = ?, attempts = ?, holds_back = ?, \
     requested = CASE WHEN requested = 'retry' THEN NULL ELSE requested END \
     WHERE projection_name = ? AND projection_version = ? AND global_position = ?"
}

statement! {
    for every database;
    Unpark<'a> { name: &'a str => bind_text, version: i32 => bind_integer, position: i64 => bind_long },
    "DELETE FROM parked_events WHERE projection_name = ? AND projection_version = ? AND global_position = ?"
}

statement! {
    for every database;
    UnparkAfter<'a> { name: &'a str => bind_text, version: i32 => bind_integer, position: i64 => bind_long },
    "DELETE FROM parked_events WHERE projection_name = ? AND projection_version = ? AND global_position > ?"
}

statement! {
    for every database;
    UnparkAll<'a> { name: &'a str => bind_text, version: i32 => bind_integer },
    "DELETE FROM parked_events WHERE projection_name = ? AND projection_version = ?"
}

impl<L> Parked for L
where
    L: Lent,
    BackendOf<L>: Dialect + QueryMetadata<ParkedColumns> + QueryMetadata<BigInt>,
    i64: FromSqlRow<BigInt, BackendOf<L>>,
{
    async fn park(&mut self, projection: &ProjectionId, parked: &ParkedEvent) -> QueryResult<()> {
        let park = Park {
            name: &projection.name,
            version: projection.version,
            position: parked.position.get(),
            event_id: parked.event_id,
            tenant_id: parked.stream.tenant_column(),
            aggregate_type: parked.stream.aggregate_type(),
            aggregate_id: parked.stream.aggregate_id(),
            reason: parked.reason.as_str(),
            error: &parked.error,
            attempts: parked.attempts,
            parked_at: parked.parked_at,
            holds_back: parked.holds_back.into(),
        };
        self.connection().execute(park).await.map(drop)
    }

    async fn parked(&mut self, projection: &ProjectionId) -> QueryResult<Vec<ParkedEvent>> {
        let (name, version) = (&*projection.name, projection.version);
        self.connection().load(SelectParked { name, version }, Stored::default()).await
    }

    async fn parked_after(
        &mut self,
        projection: &ProjectionId,
        position: Position,
        limit: i64,
    ) -> QueryResult<Vec<ParkedEvent>> {
        let (name, version, position) = (&*projection.name, projection.version, position.get());
        self.connection().load(SelectParkedAfter { name, version, position, limit }, Stored::default()).await
    }

    async fn parked_beside_requests(&mut self, projection: &ProjectionId) -> QueryResult<Vec<ParkedEvent>> {
        let (name, version) = (&*projection.name, projection.version);
        let select = SelectParkedBesideRequests { name, version, of_name: name, of_version: version };
        self.connection().load(select, Stored::default()).await
    }

    async fn count_parked(&mut self, projection: &ProjectionId) -> QueryResult<i64> {
        let (name, version) = (&*projection.name, projection.version);
        self.connection().row(CountParked { name, version }).await
    }

    async fn request(
        &mut self,
        projection: &ProjectionId,
        position: Position,
        request: Request,
    ) -> QueryResult<bool> {
        let (name, version, position) = (&*projection.name, projection.version, position.get());
        let request = RequestOfParked { request: request.as_str(), name, version, position };
        Ok(self.connection().execute(request).await? > 0)
    }

    async fn repark(&mut self, projection: &ProjectionId, parked: &ParkedEvent) -> QueryResult<bool> {
        let repark = Repark {
            reason: parked.reason.as_str(),
            error: &parked.error,
            attempts: parked.attempts,
            holds_back: parked.holds_back.into(),
            name: &projection.name,
            version: projection.version,
            position: parked.position.get(),
        };
        Ok(self.connection().execute(repark).await? > 0)
    }

    async fn unpark(&mut self, projection: &ProjectionId, position: Position) -> QueryResult<bool> {
        let (name, version, position) = (&*projection.name, projection.version, position.get());
        Ok(self.connection().execute(Unpark { name, version, position }).await? > 0)
    }

    async fn unpark_after(&mut self, projection: &ProjectionId, position: Position) -> QueryResult<usize> {
        let (name, version, position) = (&*projection.name, projection.version, position.get());
        self.connection().execute(UnparkAfter { name, version, position }).await
    }

    async fn unpark_all(&mut self, projection: &ProjectionId) -> QueryResult<usize> {
        let (name, version) = (&*projection.name, projection.version);
        self.connection().execute(UnparkAll { name, version }).await
    }
}
