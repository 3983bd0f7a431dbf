use std::collections::HashSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::model::append_key::{KeyedAppend, NewKey, fingerprint};
use crate::model::event::NewEvent;
use crate::model::expected_version::{Conflict, ExpectedVersion};
use crate::model::invalid::{InvalidInput, Problem, check_name};
use crate::model::stream_id::StreamId;

/// Events for several streams, which [`EventStore::append_batch`](crate::EventStore::append_batch) appends
/// all or none, and streams that must not change meanwhile.
///
/// Each stream is named once. The events go into the log in the order in which they are given.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::ExpectedVersion::{Exact, NoStream};
/// use diesel_event_store::{AppendBatch, EventStore, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # let store = EventStore::new();
/// let (from, to) = (StreamId::new("Account", 1)?, StreamId::new("Account", 2)?);
/// # store.append(&mut conn, &from, NoStream, &[NewEvent::new("Opened", &())?])?;
/// let transfer = AppendBatch::new()
///     .append(&from, Exact(1), [NewEvent::new("Withdrawn", &100)?])
///     .append(&to, NoStream, [NewEvent::new("Opened", &())?, NewEvent::new("Deposited", &100)?]);
/// let done = store.append_batch(&mut conn, &transfer)?;
/// assert_eq!((done.streams()[0].version(), done.streams()[1].version()), (2, 2));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a batch does nothing before it is appended"]
pub struct AppendBatch {
    pub(crate) streams: Vec<StreamEvents>,
    pub(crate) guards: Vec<Guard>,
    key: Option<Box<str>>,
}

/// What is appended to one stream of a batch.
#[derive(Debug, Clone)]
pub(crate) struct StreamEvents {
    pub(crate) stream: StreamId,
    pub(crate) expected: ExpectedVersion,
    pub(crate) events: Vec<NewEvent>,
}

/// A stream that is only to stay where it is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guard {
    pub(crate) stream: StreamId,
    pub(crate) expected: ExpectedVersion,
}

impl AppendBatch {
    /// Without streams.
    ///
    /// ```
    /// # use diesel_event_store::AppendBatch;
    /// let batch = AppendBatch::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends these events to the stream, if it is at the expected version.
    pub fn append(
        mut self,
        stream: &StreamId,
        expected: ExpectedVersion,
        events: impl IntoIterator<Item = NewEvent>,
    ) -> Self {
        let events = events.into_iter().collect();
        self.streams.push(StreamEvents { stream: stream.clone(), expected, events });
        self
    }

    /// Appends nothing to the stream, but refuses the batch if the stream is not at the expected version, and
    /// keeps it there until the transaction has ended: another append to it waits.
    ///
    /// Batches that guard the same stream do not wait for each other, unless the stream is expected to have
    /// no events. On PostgreSQL and MySQL such a guard writes a head and deletes it again, for which the role
    /// needs DELETE on `aggregate_heads`.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::ExpectedVersion::{Exact, NoStream};
    /// use diesel_event_store::{AppendBatch, AppendError, EventStore, NewEvent, StreamId};
    ///
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// # let store = EventStore::new();
    /// let (order, customer) = (StreamId::new("Order", 1)?, StreamId::new("Customer", 7)?);
    /// store.append(&mut conn, &customer, NoStream, &[NewEvent::new("Registered", &())?])?;
    /// // Decided from the customer at version 1.
    /// let placed = AppendBatch::new()
    ///     .append(&order, NoStream, [NewEvent::new("Placed", &())?])
    ///     .guard(&customer, Exact(1));
    ///
    /// store.append(&mut conn, &customer, Exact(1), &[NewEvent::new("Blocked", &())?])?;
    /// let refused = store.append_batch(&mut conn, &placed).unwrap_err();
    /// assert_eq!(refused.conflict().map(|conflict| &conflict.stream), Some(&customer));
    /// # Ok(())
    /// # }
    /// ```
    pub fn guard(mut self, stream: &StreamId, expected: ExpectedVersion) -> Self {
        self.guards.push(Guard { stream: stream.clone(), expected });
        self
    }

    /// The key of the request: when the batch is appended again with the same key, nothing is appended, and
    /// the result is that of the first time, with [`is_repeat`](crate::BatchAppended::is_repeat). If both
    /// come at the same moment, one of them waits for the other. Default: none.
    ///
    /// It is 1 to [`MAX_NAME_LENGTH`](crate::MAX_NAME_LENGTH) characters, and belongs to the tenant of the
    /// first stream. The same request has the same streams in the same order, and events of the same types,
    /// versions and payloads; expected versions, ids, metadata and times may differ. Anything else is refused
    /// as [`KeyReused`](crate::AppendError::KeyReused). A batch that was refused or rolled back has used no
    /// key. A key is kept until [`delete_keys_before`](crate::EventStore::delete_keys_before).
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::ExpectedVersion::NoStream;
    /// use diesel_event_store::{AppendBatch, EventStore, NewEvent, StreamId};
    ///
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// # let store = EventStore::new();
    /// let order = StreamId::new("Order", 1)?;
    /// let place = |cents: i64| -> Result<AppendBatch, diesel_event_store::Error> {
    ///     let placed = [NewEvent::new("OrderPlaced", &cents)?];
    ///     Ok(AppendBatch::new().append(&order, NoStream, placed).idempotency_key("request-4711"))
    /// };
    /// let first = store.append_batch(&mut conn, &place(100)?)?;
    /// let again = store.append_batch(&mut conn, &place(100)?)?;
    /// assert_eq!((first.is_repeat(), again.is_repeat()), (false, true));
    /// assert_eq!(again.streams(), first.streams());
    ///
    /// assert!(store.append_batch(&mut conn, &place(999)?).is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn idempotency_key(self, key: impl ToString) -> Self {
        Self { key: Some(key.to_string().into()), ..self }
    }

    /// The events of all streams, as they are counted in errors.
    pub(crate) fn events(&self) -> impl Iterator<Item = (&StreamId, &NewEvent)> {
        self.streams.iter().flat_map(|of| of.events.iter().map(|event| (&of.stream, event)))
    }

    pub(crate) fn validate(&self, max_json_bytes: usize) -> Result<(), InvalidInput> {
        if self.streams.is_empty() {
            return Err(InvalidInput::new("streams", Problem::Empty));
        }
        self.validate_streams()?;
        self.validate_guards()?;
        self.key.as_deref().map_or(Ok(()), |key| check_name("idempotency_key", key))?;
        for (index, (_, event)) in self.events().enumerate() {
            event.validate(max_json_bytes).map_err(|invalid| invalid.of_event(index))?;
        }
        Ok(())
    }

    fn validate_streams(&self) -> Result<(), InvalidInput> {
        for StreamEvents { expected, events, .. } in &self.streams {
            expected.validate()?;
            if events.is_empty() {
                return Err(InvalidInput::new("events", Problem::Empty));
            }
        }
        refuse_repeated("streams", self.streams.iter().map(|of| &of.stream))
    }

    fn validate_guards(&self) -> Result<(), InvalidInput> {
        for Guard { stream, expected } in &self.guards {
            expected.validate()?;
            if *expected == ExpectedVersion::Any {
                return Err(InvalidInput::new(
                    "guard",
                    Problem::GuardsNothing { stream: stream.to_string() },
                ));
            }
            if self.streams.iter().any(|of| of.stream == *stream) {
                return Err(InvalidInput::new(
                    "guard",
                    Problem::GuardsWritten { stream: stream.to_string() },
                ));
            }
        }
        refuse_repeated("guards", self.guards.iter().map(|guard| &guard.stream))
    }

    /// Its key, as it is stored once the batch is appended. Of a batch that is validated.
    pub(crate) fn new_key(&self, now: DateTime<Utc>) -> Option<NewKey<'_>> {
        let (stream, first) = self.events().next()?;
        let append = KeyedAppend {
            fingerprint: fingerprint(self.events().map(|(stream, event)| (stream, &event.content))),
            first_event_id: first.id(),
            event_count: i64::try_from(self.events().count()).expect("a batch is never that long"),
        };
        self.key.as_deref().map(|key| NewKey { tenant_id: stream.tenant_column(), key, append, now })
    }

    /// The first event whose id an earlier event of the batch has.
    pub(crate) fn repeated_id(&self) -> Option<(usize, Uuid)> {
        let mut seen = HashSet::new();
        let mut ids = self.events().map(|(_, event)| event.id()).enumerate();
        ids.find(|(_, id)| !seen.insert(*id))
    }
}

impl Guard {
    /// Lets the batch go on if the stream is at the expected version.
    pub(crate) fn check(&self, actual: i64) -> Result<(), Conflict> {
        if self.expected.allows(actual) {
            return Ok(());
        }
        Err(Conflict { stream: self.stream.clone(), expected: self.expected, actual })
    }
}

fn refuse_repeated<'a>(
    field: &'static str,
    mut streams: impl Iterator<Item = &'a StreamId>,
) -> Result<(), InvalidInput> {
    let mut seen = HashSet::new();
    match streams.find(|stream| !seen.insert(*stream)) {
        Some(stream) => Err(InvalidInput::new(field, Problem::Repeated { name: stream.to_string() })),
        None => Ok(()),
    }
}
