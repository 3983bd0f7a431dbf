use std::sync::Arc;

use diesel::connection::LoadConnection;
use diesel::deserialize::{self, FromSql};
use diesel::prelude::*;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::result::{Error, UnexpectedNullError};
use diesel::row::{Field, Row};
use diesel::sql_types::Text;
use diesel::sqlite::{Sqlite, SqliteValue};

use super::text::{parse_id, parse_time};
use crate::event::{Content, RecordedEvent};
use crate::json::Json;
use crate::position::Position;
use crate::schema::sqlite::events;
use crate::stream_id::StreamId;

/// The columns of `events`, in the order of the table.
type Columns = <events::table as AsQuery>::SqlType;

/// Loads events column by column, straight from SQLite's row into what is kept. With diesel's tuples each text would be
/// allocated anew, also the few types that come again and again.
///
/// `stream` is the stream that all events belong to, if it is known.
pub(super) fn load<Q>(
    conn: &mut SqliteConnection,
    query: Q,
    stream: Option<&StreamId>,
) -> QueryResult<Vec<RecordedEvent>>
where
    Q: AsQuery<SqlType = Columns>,
    Q::Query: QueryFragment<Sqlite> + QueryId,
{
    let mut types = Types::default();
    conn.load(query.as_query())?
        .map(|row| event(&row?, stream, &mut types).map_err(Error::DeserializationError))
        .collect()
}

fn event<'r>(
    row: &impl Row<'r, Sqlite>,
    stream: Option<&StreamId>,
    types: &mut Types,
) -> deserialize::Result<RecordedEvent> {
    Ok(RecordedEvent {
        position: Position::stored(value(row, 0, |mut value| Ok(value.read_long()))?),
        stream: match stream {
            Some(stream) => stream.clone(),
            None => StreamId::stored(
                value(row, 1, |mut value| Ok(types.shared(value.read_text())))?,
                value(row, 2, |mut value| Ok(value.read_text().into()))?,
            ),
        },
        version: value(row, 3, |mut value| Ok(value.read_long()))?,
        content: Content {
            event_id: value(row, 4, |mut value| parse_id(value.read_text()))?,
            event_type: value(row, 5, |mut value| Ok(types.shared(value.read_text())))?,
            event_version: value(row, 6, |mut value| Ok(value.read_integer()))?,
            payload: value(row, 7, text).map(Json::stored)?,
            metadata: optional(row, 8, text)?.map(Json::stored),
            trace_id: optional(row, 9, text)?,
            correlation_id: optional(row, 10, text)?,
            causation_id: optional(row, 11, text)?,
        },
        created_at: value(row, 12, |mut value| parse_time(value.read_text()))?,
    })
}

fn value<'r, T>(
    row: &impl Row<'r, Sqlite>,
    column: usize,
    read: impl FnOnce(SqliteValue<'_, '_, '_>) -> deserialize::Result<T>,
) -> deserialize::Result<T> {
    optional(row, column, read)?.ok_or_else(|| Box::new(UnexpectedNullError).into())
}

fn optional<'r, T>(
    row: &impl Row<'r, Sqlite>,
    column: usize,
    read: impl FnOnce(SqliteValue<'_, '_, '_>) -> deserialize::Result<T>,
) -> deserialize::Result<Option<T>> {
    row.get(column).and_then(|field| field.value().map(read)).transpose()
}

/// Text of any length. Through `String`, for which diesel checks once that it is UTF-8; `read_text` does so twice.
fn text(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Box<str>> {
    <String as FromSql<Text, Sqlite>>::from_sql(value).map(String::into_boxed_str)
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
