use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::model::appended::Appended;
use crate::model::event::NewEvent;
use crate::model::expected_version::ExpectedVersion;
use crate::model::invalid::{InvalidInput, Problem};
use crate::model::stream_id::StreamId;
use crate::model::timestamp;
use crate::observe;
use crate::storage::append::AppendError;
use crate::storage::append::{Batch, Placement};
use crate::storage::lent::Blocking;

pub(crate) fn append(
    mut database: Blocking<'_>,
    max_json_bytes: usize,
    stream: &StreamId,
    expected: ExpectedVersion,
    events: &[NewEvent],
) -> Result<Appended, AppendError> {
    validate(max_json_bytes, expected, events)?;
    let batch = Batch { stream, expected, events, now: timestamp::now() };
    let placed = database.append(&batch);
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
