//! Reads rows column by column, straight from what a database has sent into what is kept. With diesel's
//! tuples each text would be allocated anew, also the few types that come again and again.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::deserialize;
use diesel::result::UnexpectedNullError;
use diesel::row::{Field, Row};
use uuid::Uuid;

use crate::model::event::{Content, RecordedEvent};
use crate::model::json::Json;
use crate::model::name::Name;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::storage::sql::rows::Rows;

/// How a database gives what is in the columns of the event store's tables.
pub(crate) trait Columns: Backend {
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

/// Events with all columns, in the order of the table.
pub(crate) struct Events<'s> {
    stream: Option<&'s StreamId>,
    names: Names,
    events: Vec<RecordedEvent>,
    /// How many bytes of payloads and metadata may still come.
    room: usize,
}

impl<'s> Events<'s> {
    /// Of any streams.
    pub(crate) fn of_log() -> Self {
        Self { stream: None, names: Names::default(), events: Vec::new(), room: usize::MAX }
    }

    /// All of the same stream.
    pub(crate) fn of_stream(stream: &'s StreamId) -> Self {
        Self { stream: Some(stream), ..Self::of_log() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// No more than these bytes of payloads and metadata, but for the event that reaches them.
    pub(crate) fn up_to(self, bytes: usize) -> Self {
        Self { room: bytes, ..self }
    }
}

impl<DB: Columns> Rows<DB> for Events<'_> {
    type Output = Vec<RecordedEvent>;

    fn add<'r>(&mut self, row: &impl Row<'r, DB>) -> deserialize::Result<()> {
        let event = event(row, self.stream, &mut self.names)?;
        self.room = self.room.saturating_sub(event.bytes());
        self.events.push(event);
        Ok(())
    }

    fn is_enough(&self) -> bool {
        self.room == 0
    }

    fn finish(self) -> Vec<RecordedEvent> {
        self.events
    }
}

fn event<'r, DB: Columns>(
    row: &impl Row<'r, DB>,
    stream: Option<&StreamId>,
    names: &mut Names,
) -> deserialize::Result<RecordedEvent> {
    Ok(RecordedEvent {
        position: Position::stored(value(row, 0, DB::long)?),
        stream: match stream {
            Some(stream) => stream.clone(),
            None => StreamId::stored(
                value(row, 1, |value| DB::name(value, |name| names.tenants.tenant(name)))?,
                value(row, 2, |value| DB::name(value, |name| names.types.shared(name)))?,
                value(row, 3, |value| DB::name(value, |name| name.into()))?,
            ),
        },
        version: value(row, 4, DB::long)?,
        content: Content {
            event_id: value(row, 5, DB::id)?,
            event_type: value(row, 6, |value| {
                DB::name(value, |name| Name::Shared(names.types.shared(name)))
            })?,
            event_version: value(row, 7, DB::integer)?,
            payload: value(row, 8, DB::json).map(Json::stored)?,
            metadata: optional(row, 9, DB::json)?.map(Json::stored),
            trace_id: optional(row, 10, DB::text)?,
            correlation_id: optional(row, 11, DB::text)?,
            causation_id: optional(row, 12, DB::text)?,
        },
        created_at: value(row, 13, DB::time)?,
    })
}

pub(crate) fn value<'r, DB: Backend, T>(
    row: &impl Row<'r, DB>,
    column: usize,
    read: impl FnOnce(DB::RawValue<'_>) -> deserialize::Result<T>,
) -> deserialize::Result<T> {
    optional(row, column, read)?.ok_or_else(|| Box::new(UnexpectedNullError).into())
}

pub(crate) fn optional<'r, DB: Backend, T>(
    row: &impl Row<'r, DB>,
    column: usize,
    read: impl FnOnce(DB::RawValue<'_>) -> deserialize::Result<T>,
) -> deserialize::Result<Option<T>> {
    row.get(column).and_then(|field| field.value().map(read)).transpose()
}

/// A word that a column holds, as `read` knows it. `what` it says is for the error, if it is another.
pub(crate) fn word<'r, DB: Columns, T>(
    row: &impl Row<'r, DB>,
    column: usize,
    what: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> deserialize::Result<T> {
    optional_word(row, column, what, read)?.ok_or_else(|| Box::new(UnexpectedNullError).into())
}

pub(crate) fn optional_word<'r, DB: Columns, T>(
    row: &impl Row<'r, DB>,
    column: usize,
    what: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> deserialize::Result<Option<T>> {
    let read = |word: &str| read(word).ok_or_else(|| format!("{what} is {word:?}").into());
    optional(row, column, |value| DB::name(value, read)?)
}

/// The stream that three columns hold: tenant, type and id.
pub(crate) fn stream<'r, DB: Columns>(row: &impl Row<'r, DB>, first: usize) -> deserialize::Result<StreamId> {
    Ok(StreamId::stored(
        value(row, first, |value| DB::name(value, stored_tenant))?,
        value(row, first + 1, DB::text)?.into(),
        value(row, first + 2, DB::text)?.into(),
    ))
}

/// The tenant that a column holds; none if it is empty.
pub(crate) fn stored_tenant(name: &str) -> Option<Arc<str>> {
    (!name.is_empty()).then(|| name.into())
}

/// What comes again and again in one read. Tenants are apart, so that many of them do not take the room of
/// the types.
#[derive(Default)]
struct Names {
    tenants: Shared,
    types: Shared,
}

/// Names that are allocated once. There are few, so they are looked through one by one; should there be many,
/// the rest is not shared.
#[derive(Default)]
struct Shared(Vec<Arc<str>>);

impl Shared {
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

    /// None if the name is empty.
    fn tenant(&mut self, name: &str) -> Option<Arc<str>> {
        (!name.is_empty()).then(|| self.shared(name))
    }
}
