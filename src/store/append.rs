use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::error::AppendError;
use crate::model::event::{NewEvent, RecordedEvent};
use crate::model::expected_version::ExpectedVersion;
use crate::model::invalid::{InvalidInput, Problem};
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::model::timestamp;
use crate::observe;
use crate::storage::backend::{Backend, Batch, Placement};

/// What an append has recorded.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let account = StreamId::new("Account", 7)?;
/// let events = [NewEvent::new("Opened", &())?, NewEvent::new("Deposited", &100)?];
/// let appended = EventStore::new().append(&mut conn, &account, ExpectedVersion::NoStream, &events)?;
///
/// assert_eq!((appended.previous_version(), appended.version()), (0, 2));
/// assert_eq!(appended.events()[1].payload_json(), "100");
/// assert_eq!(appended.last_position(), appended.events()[1].position());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    previous_version: i64,
    events: Vec<RecordedEvent>,
}

impl Appended {
    /// The events as they are recorded, in the order of the batch: exactly what reading them would return.
    pub fn events(&self) -> &[RecordedEvent] {
        &self.events
    }

    /// The events, without the rest.
    pub fn into_events(self) -> Vec<RecordedEvent> {
        self.events
    }

    /// The version of the aggregate before the append.
    pub fn previous_version(&self) -> i64 {
        self.previous_version
    }

    /// The version of the aggregate after the append: what the next append to it can expect.
    pub fn version(&self) -> i64 {
        self.last().version()
    }

    /// The position of the last event of the batch.
    pub fn last_position(&self) -> Position {
        self.last().position()
    }

    fn last(&self) -> &RecordedEvent {
        self.events.last().expect("an empty batch is refused")
    }
}

pub(crate) fn append(
    backend: &mut dyn Backend,
    max_json_bytes: usize,
    stream: &StreamId,
    expected: ExpectedVersion,
    events: &[NewEvent],
) -> Result<Appended, AppendError> {
    validate(max_json_bytes, expected, events)?;
    let batch = Batch { stream, expected, events, now: timestamp::now() };
    let placed = backend.append(&batch);
    let appended = placed.map(|placement| record(stream, events.iter().cloned(), batch.now, placement));
    observe::append(&appended);
    appended
}

pub(crate) fn validate(
    max_json_bytes: usize,
    expected: ExpectedVersion,
    events: &[NewEvent],
) -> Result<(), AppendError> {
    expected.validate()?;
    if events.is_empty() {
        return Err(InvalidInput::new("events", Problem::Empty).into());
    }
    for (index, event) in events.iter().enumerate() {
        event.validate(max_json_bytes).map_err(|invalid| invalid.of_event(index))?;
    }
    refuse_repeated_ids(events)
}

fn refuse_repeated_ids(events: &[NewEvent]) -> Result<(), AppendError> {
    if events.len() == 1 {
        return Ok(()); // by far the most appends
    }
    let mut seen = HashSet::with_capacity(events.len());
    for (event_index, event) in events.iter().enumerate() {
        if !seen.insert(event.id()) {
            return Err(AppendError::DuplicateEventId { event_id: event.id(), event_index });
        }
    }
    Ok(())
}

/// The events as they are recorded, where they were placed.
pub(crate) fn record(
    stream: &StreamId,
    events: impl IntoIterator<Item = NewEvent>,
    now: DateTime<Utc>,
    placement: Placement,
) -> Appended {
    let previous_version = placement.previous_version;
    let events = (1..)
        .zip(events)
        .zip(placement.positions)
        .map(|((nth, event), position)| event.record(stream, previous_version + nth, position, now))
        .collect();
    Appended { previous_version, events }
}
