//! Reads events column by column, straight from a database's row into what is kept. With diesel's tuples each text would be
//! allocated anew, also the few types that come again and again.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::connection::{DefaultLoadingMode, LoadConnection};
use diesel::deserialize;
use diesel::expression::QueryMetadata;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::result::{Error, QueryResult, UnexpectedNullError};
use diesel::row::{Field, Row};
use uuid::Uuid;

use crate::model::event::{Content, RecordedEvent};
use crate::model::json::Json;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;

/// How a database gives what is in the columns of `events`.
pub(crate) trait EventColumns: Backend {
    fn long(value: Self::RawValue<'_>) -> deserialize::Result<i64>;
    fn integer(value: Self::RawValue<'_>) -> deserialize::Result<i32>;
    /// A name, which is short, is looked at where it lies.
    fn name<T>(value: Self::RawValue<'_>, read: impl FnOnce(&str) -> T) -> deserialize::Result<T>;
    /// Text of any length.
    fn text(value: Self::RawValue<'_>) -> deserialize::Result<Box<str>>;
    fn json(value: Self::RawValue<'_>) -> deserialize::Result<Box<str>>;
    fn id(value: Self::RawValue<'_>) -> deserialize::Result<Uuid>;
    fn time(value: Self::RawValue<'_>) -> deserialize::Result<DateTime<Utc>>;
}

/// Loads events with all columns, in the order of the table. `stream` is the stream that all of them belong to, if it is
/// known.
pub(crate) fn load<C, Q>(conn: &mut C, query: Q, stream: Option<&StreamId>) -> QueryResult<Vec<RecordedEvent>>
where
    C: LoadConnection<DefaultLoadingMode>,
    C::Backend: EventColumns + QueryMetadata<Q::SqlType>,
    Q: AsQuery,
    Q::Query: QueryFragment<C::Backend> + QueryId,
{
    let mut types = Types::default();
    conn.load(query.as_query())?
        .map(|row| event(&row?, stream, &mut types).map_err(Error::DeserializationError))
        .collect()
}

fn event<'r, DB: EventColumns>(
    row: &impl Row<'r, DB>,
    stream: Option<&StreamId>,
    types: &mut Types,
) -> deserialize::Result<RecordedEvent> {
    Ok(RecordedEvent {
        position: Position::stored(value(row, 0, DB::long)?),
        stream: match stream {
            Some(stream) => stream.clone(),
            None => StreamId::stored(
                value(row, 1, |value| DB::name(value, |name| types.shared(name)))?,
                value(row, 2, |value| DB::name(value, |name| name.into()))?,
            ),
        },
        version: value(row, 3, DB::long)?,
        content: Content {
            event_id: value(row, 4, DB::id)?,
            event_type: value(row, 5, |value| DB::name(value, |name| types.shared(name)))?,
            event_version: value(row, 6, DB::integer)?,
            payload: value(row, 7, DB::json).map(Json::stored)?,
            metadata: optional(row, 8, DB::json)?.map(Json::stored),
            trace_id: optional(row, 9, DB::text)?,
            correlation_id: optional(row, 10, DB::text)?,
            causation_id: optional(row, 11, DB::text)?,
        },
        created_at: value(row, 12, DB::time)?,
    })
}

fn value<'r, DB: Backend, T>(
    row: &impl Row<'r, DB>,
    column: usize,
    read: impl FnOnce(DB::RawValue<'_>) -> deserialize::Result<T>,
) -> deserialize::Result<T> {
    optional(row, column, read)?.ok_or_else(|| Box::new(UnexpectedNullError).into())
}

fn optional<'r, DB: Backend, T>(
    row: &impl Row<'r, DB>,
    column: usize,
    read: impl FnOnce(DB::RawValue<'_>) -> deserialize::Result<T>,
) -> deserialize::Result<Option<T>> {
    row.get(column).and_then(|field| field.value().map(read)).transpose()
}

/// The types of aggregates and events that come again and again in one read. There are few, so they are looked through one
/// by one; should there be many, the rest is not shared.
#[derive(Default)]
struct Types(Vec<Arc<str>>);

impl Types {
    const MOST: usize = 16;

    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.iter().find(|known| ***known == *name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = name.into();
        if self.0.len() < Self::MOST {
            self.0.push(Arc::clone(&new));
        }
        new
    }
}
