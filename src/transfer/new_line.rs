//! An event from elsewhere, which no store has recorded yet.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::error::FileProblem;
use super::event_line::{json, present};
use super::values::{read_id, read_time};
use crate::line::event_line::{METADATA, PAYLOAD};
use crate::model::event::NewEvent;
use crate::model::invalid::{InvalidInput, Problem};
use crate::model::stream_id::StreamId;

/// As it stands in a line: the columns that are not given by the store, and two that may be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLine<'a> {
    #[serde(borrow)]
    tenant_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    aggregate_type: Cow<'a, str>,
    #[serde(borrow)]
    aggregate_id: Cow<'a, str>,
    #[serde(borrow)]
    event_id: Option<Cow<'a, str>>,
    event_type: String,
    #[serde(default = "first")]
    event_version: i32,
    #[serde(borrow, default, deserialize_with = "present")]
    payload: Option<&'a RawValue>,
    payload_text: Option<Box<str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    metadata: Option<&'a RawValue>,
    metadata_text: Option<Box<str>>,
    trace_id: Option<Box<str>>,
    correlation_id: Option<Box<str>>,
    causation_id: Option<Box<str>>,
    #[serde(borrow)]
    created_at: Option<Cow<'a, str>>,
}

fn first() -> i32 {
    1
}

/// The stream and the event; `id` is its id if the line has none.
pub(super) fn read(line: &str, id: Uuid) -> Result<(StreamId, NewEvent), FileProblem> {
    let line: NewLine<'_> = serde_json::from_str(line)?;
    let mut stream = StreamId::new(&*line.aggregate_type, &line.aggregate_id)?;
    if let Some(tenant_id) = &line.tenant_id {
        stream = stream.in_tenant(tenant_id)?;
    }
    let payload = json(PAYLOAD[0], line.payload, line.payload_text)?;
    let missing = || InvalidInput::new(PAYLOAD[0], Problem::Empty);
    let id = line.event_id.map_or(Ok(id), |id| read_id("event_id", &id))?;
    let mut event = NewEvent::of(line.event_type.into(), payload.ok_or_else(missing)?)
        .with_id(id)
        .event_version(line.event_version);
    event.content.metadata = json(METADATA[0], line.metadata, line.metadata_text)?;
    event.content.trace_id = line.trace_id;
    event.content.correlation_id = line.correlation_id;
    event.content.causation_id = line.causation_id;
    if let Some(time) = line.created_at {
        event = event.created_at(read_time("created_at", &time)?);
    }
    event.validate(usize::MAX)?;
    Ok((stream, event))
}
