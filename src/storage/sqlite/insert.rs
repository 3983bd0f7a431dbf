use std::array;
use std::borrow::Cow;

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::Error;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;

use super::error::classify;
use super::text::time_text;
use crate::model::event::{Content, NewEvent};
use crate::model::json::Json;
use crate::model::stream_id::StreamId;
use crate::storage::append::Batch;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::kind_of::kind_of;
use crate::storage::refused::Refused;
use crate::storage::sql::statement::statement;

/// Events that one statement inserts, if there are so many: each then costs less than alone. The rest is
/// inserted one by one, so that there are two statements and not one for every number, and both stay
/// prepared.
const MANY: usize = 8;

statement! {
    for Sqlite;
    /// AUTOINCREMENT gives out no position above the highest. SQLite then says that the database is full.
    HasNoPosition -> Bool,
    "SELECT EXISTS (SELECT * FROM sqlite_sequence WHERE name = 'events' AND seq = 9223372036854775807)"
}

/// Inserts the events of a batch, whose head has been moved. After an error some may be there.
pub(super) fn insert_events(
    conn: &mut SqliteConnection,
    batch: &Batch<'_>,
    previous_version: i64,
) -> QueryResult<()> {
    let now = time_text(batch.now);
    let mut rows = (previous_version + 1..=previous_version + batch.len())
        .zip(batch.events)
        .map(|(version, event)| EventRow::new(batch.stream, version, event, &now));
    let mut inserted = 0;
    for _ in 0..batch.events.len() / MANY {
        let rows = array::from_fn(|_| rows.next().expect("a row for every event"));
        inserted += insert(conn, InsertEvents::<MANY>(rows))?;
    }
    for row in rows {
        inserted += insert(conn, InsertEvents([row]))?;
    }
    Refused::unless_all(batch.events.len(), inserted)
}

/// How many rows were inserted.
fn insert<const ROWS: usize>(
    conn: &mut SqliteConnection,
    events: InsertEvents<'_, ROWS>,
) -> QueryResult<usize> {
    events.execute(conn).map_err(|error| match kind_of(&error, classify) {
        DatabaseErrorKind::Full => without_position(conn, error),
        _ => error,
    })
}

fn without_position(conn: &mut SqliteConnection, full: Error) -> Error {
    match HasNoPosition.get_result(conn) {
        Ok(true) => {
            let reason = "AUTOINCREMENT has come to 9223372036854775807, the highest position there is";
            Refused::error(DatabaseErrorKind::NeedsRepair, reason)
        }
        Ok(false) | Err(_) => full,
    }
}

pub(super) struct EventRow<'a> {
    stream: &'a StreamId,
    aggregate_version: i64,
    event_id: String,
    event_type: &'a str,
    event_version: i32,
    payload: &'a str,
    metadata: Option<&'a str>,
    trace_id: Option<&'a str>,
    correlation_id: Option<&'a str>,
    causation_id: Option<&'a str>,
    created_at: Cow<'a, str>,
}

impl<'a> EventRow<'a> {
    fn new(stream: &'a StreamId, version: i64, event: &'a NewEvent, now: &'a str) -> Self {
        let created_at = event.created_at.map_or(Cow::Borrowed(now), |time| time_text(time).into());
        Self::of(stream, version, &event.content, created_at)
    }

    pub(super) fn of(
        stream: &'a StreamId,
        version: i64,
        content: &'a Content,
        created_at: Cow<'a, str>,
    ) -> Self {
        Self {
            stream,
            aggregate_version: version,
            event_id: content.event_id.to_string(),
            event_type: &content.event_type,
            event_version: content.event_version,
            payload: content.payload.as_str(),
            metadata: content.metadata.as_ref().map(Json::as_str),
            trace_id: content.trace_id.as_deref(),
            correlation_id: content.correlation_id.as_deref(),
            causation_id: content.causation_id.as_deref(),
            created_at,
        }
    }

    pub(super) fn walk<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_bind_param::<Text, _>(self.stream.tenant_column())?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(self.stream.aggregate_type())?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(self.stream.aggregate_id())?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.aggregate_version)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(self.event_id.as_str())?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(self.event_type)?;
        out.push_sql(", ");
        out.push_bind_param::<Integer, _>(&self.event_version)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(self.payload)?;
        for optional in [&self.metadata, &self.trace_id, &self.correlation_id, &self.causation_id] {
            out.push_sql(", ");
            out.push_bind_param::<Nullable<Text>, _>(optional)?;
        }
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&*self.created_at)
    }
}

/// By hand and not by `Insertable`, which diesel puts together from its columns at each execution, at more
/// than a third of the cost of running it. SELECT and not VALUES: SQLite then keeps a journal for the
/// statement alone, also if it is one row, so that a full disk undoes the statement and not the whole
/// transaction around it.
struct InsertEvents<'a, const ROWS: usize>([EventRow<'a>; ROWS]);

impl<const ROWS: usize> QueryFragment<Sqlite> for InsertEvents<'_, ROWS> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO events (tenant_id, aggregate_type, aggregate_id, aggregate_version, event_id, \
             event_type, event_version, payload, metadata, trace_id, correlation_id, causation_id, created_at)",
        );
        let mut select = " SELECT ";
        for row in &self.0 {
            out.push_sql(select);
            row.walk(&mut out)?;
            select = " UNION ALL SELECT ";
        }
        Ok(())
    }
}

impl<const ROWS: usize> QueryId for InsertEvents<'_, ROWS> {
    type QueryId = InsertEvents<'static, ROWS>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<C, const ROWS: usize> RunQueryDsl<C> for InsertEvents<'_, ROWS> {}
