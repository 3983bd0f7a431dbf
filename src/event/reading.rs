//! The steps from which the derive macro puts together how an event is written and read.

use std::fmt;

use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{EventError, EventType, UpcastError};
use crate::model::event::{NewEvent, RecordedEvent};
use crate::model::invalid::{InvalidInput, Problem};

/// The event with this content.
pub fn new_event(
    event_type: EventType,
    content: &(impl Serialize + ?Sized),
) -> Result<NewEvent, InvalidInput> {
    Ok(NewEvent::new(event_type.name(), content)?.event_version(event_type.version()))
}

/// The content of a variant without fields. Fields that are recorded are ignored, as of any struct; so is
/// `null`, which is what serde makes of a type without content. Anything else has another form.
#[derive(Debug)]
pub struct Nothing;

impl Serialize for Nothing {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde::ser::SerializeMap::end(serializer.serialize_map(Some(0))?)
    }
}

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NoContent)
    }
}

struct NoContent;

impl<'de> Visitor<'de> for NoContent {
    type Value = Nothing;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, of a variant without content")
    }

    fn visit_unit<E>(self) -> Result<Nothing, E> {
        Ok(Nothing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Nothing, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Nothing)
    }
}

/// The variant for events of other types says nothing that could be recorded.
pub fn not_recordable() -> InvalidInput {
    let reason = "the variant for events of other types cannot be appended".to_owned();
    InvalidInput::new("event", Problem::NotSerializable { reason })
}

/// The content as it is recorded.
#[inline]
pub fn content<T: DeserializeOwned>(recorded: &RecordedEvent) -> Result<T, EventError> {
    serde_json::from_str(recorded.payload_json()).map_err(|error| EventError::undecodable(recorded, error))
}

/// The same, of a variant without fields. Nearly all have the text that is written for it.
pub fn nothing(recorded: &RecordedEvent) -> Result<Nothing, EventError> {
    if recorded.payload_json() == "{}" { Ok(Nothing) } else { content(recorded) }
}

/// The content before the first of the steps that change JSON.
pub fn value(recorded: &RecordedEvent) -> Result<Value, EventError> {
    content(recorded)
}

/// One step that changes JSON.
pub fn step(
    recorded: &RecordedEvent,
    from_version: i32,
    outcome: Result<Value, UpcastError>,
) -> Result<Value, EventError> {
    outcome.map_err(|error| EventError::upcast(recorded, from_version, error))
}

/// The content after the last of the steps that change JSON.
pub fn changed<T: DeserializeOwned>(recorded: &RecordedEvent, value: Value) -> Result<T, EventError> {
    serde_json::from_value(value).map_err(|error| EventError::undecodable(recorded, error))
}

/// A version for which there is no way to read it: newer than `newest`, or older than every declared one.
pub fn unreadable_version(recorded: &RecordedEvent, oldest: i32, newest: i32) -> EventError {
    let version = recorded.event_version();
    if version > newest {
        return EventError::newer_version(recorded, newest);
    }
    let none = format!("there is none: the oldest version that is declared to exist is {oldest}");
    EventError::upcast(recorded, version, none)
}
