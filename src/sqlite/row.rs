use std::sync::Arc;

use diesel::connection::LoadConnection;
use diesel::deserialize;
use diesel::prelude::*;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::result::{Error, UnexpectedNullError};
use diesel::row::{Field, Row};
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
    let mut names = Names { types: Vec::new(), last_stream: None };
    conn.load(query.as_query())?
        .map(|row| event(&row?, stream, &mut names).map_err(Error::DeserializationError))
        .collect()
}

fn event<'r>(
    row: &impl Row<'r, Sqlite>,
    stream: Option<&StreamId>,
    names: &mut Names,
) -> deserialize::Result<RecordedEvent> {
    Ok(RecordedEvent {
        position: Position::stored(value(row, 0, |value| value.read_long())?),
        stream: match stream {
            Some(stream) => stream.clone(),
            None => {
                let aggregate_type = value(row, 1, |value| names.shared(value.read_text()))?;
                value(row, 2, |value| names.stream(aggregate_type, value.read_text()))?
            }
        },
        version: value(row, 3, |value| value.read_long())?,
        content: Content {
            event_id: value(row, 4, |value| parse_id(value.read_text()))??,
            event_type: value(row, 5, |value| names.shared(value.read_text()))?,
            event_version: value(row, 6, |value| value.read_integer())?,
            payload: value(row, 7, |value| Json::stored(value.read_text().into()))?,
            metadata: optional(row, 8, |value| Json::stored(value.read_text().into())),
            trace_id: optional(row, 9, |value| value.read_text().into()),
            correlation_id: optional(row, 10, |value| value.read_text().into()),
            causation_id: optional(row, 11, |value| value.read_text().into()),
        },
        created_at: value(row, 12, |value| parse_time(value.read_text()))??,
    })
}

fn value<'r, T>(
    row: &impl Row<'r, Sqlite>,
    column: usize,
    read: impl FnOnce(&mut SqliteValue<'_, '_, '_>) -> T,
) -> deserialize::Result<T> {
    optional(row, column, read).ok_or_else(|| Box::new(UnexpectedNullError).into())
}

fn optional<'r, T>(
    row: &impl Row<'r, Sqlite>,
    column: usize,
    read: impl FnOnce(&mut SqliteValue<'_, '_, '_>) -> T,
) -> Option<T> {
    row.get(column)?.value().map(|mut value| read(&mut value))
}

/// The names that come again and again in one read: types, and the stream of a batch.
struct Names {
    types: Vec<Arc<str>>,
    last_stream: Option<StreamId>,
}

impl Names {
    /// There are few types, so they are looked through one by one; should there be many, the rest is not shared.
    const MOST_TYPES: usize = 16;

    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.types.iter().find(|known| ***known == *name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = name.into();
        if self.types.len() < Self::MOST_TYPES {
            self.types.push(Arc::clone(&new));
        }
        new
    }

    fn stream(&mut self, aggregate_type: Arc<str>, aggregate_id: &str) -> StreamId {
        match &self.last_stream {
            Some(last)
                if last.aggregate_id() == aggregate_id && last.aggregate_type() == &*aggregate_type =>
            {
                last.clone()
            }
            _ => self.last_stream.insert(StreamId::stored(aggregate_type, aggregate_id.into())).clone(),
        }
    }
}
