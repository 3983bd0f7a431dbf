use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::error::FileProblem;
use super::values::{read_id, read_time};
use crate::line::event_line::{METADATA, PAYLOAD};
use crate::model::event::{Content, NewEvent, RecordedEvent};
use crate::model::invalid::{InvalidInput, Problem};
use crate::model::json::Json;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;

/// What every line of an event begins with.
pub(super) const BEGINNING: &str = "{\"global_position\":";

const CHECK_BEGINS: &str = ",\"check\":\"";
/// With eight digits and what ends the line.
const CHECK_LENGTH: usize = CHECK_BEGINS.len() + 8 + CHECK_ENDS.len();
const CHECK_ENDS: &str = "\"}";

/// As it stands in a line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventLine<'a> {
    global_position: i64,
    #[serde(borrow)]
    tenant_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    aggregate_type: Cow<'a, str>,
    #[serde(borrow)]
    aggregate_id: Cow<'a, str>,
    aggregate_version: i64,
    event_id: &'a str,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
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
    created_at: &'a str,
    #[serde(rename = "check")]
    _check: &'a str,
}

/// Completes a line.
pub(super) fn write_check(line: &mut Vec<u8>, check: &str) {
    for text in [CHECK_BEGINS, check, CHECK_ENDS] {
        line.extend_from_slice(text.as_bytes());
    }
}

/// What is checked of a line, and the check; an empty one if there is none.
pub(super) fn split(line: &str) -> (&str, &str) {
    let (checked, end) = line.split_at_checked(line.len().saturating_sub(CHECK_LENGTH)).unwrap_or((line, ""));
    let check = end.strip_prefix(CHECK_BEGINS).and_then(|end| end.strip_suffix(CHECK_ENDS));
    (checked, check.unwrap_or_default())
}

/// JSON that is there, also if it is `null`.
pub(super) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

pub(super) fn read(line: &str) -> Result<RecordedEvent, FileProblem> {
    let line: EventLine<'_> = serde_json::from_str(line)?;
    let (version, position) = (line.aggregate_version, Position::new(line.global_position)?);
    let mut stream = StreamId::new(&*line.aggregate_type, &line.aggregate_id)?;
    if let Some(tenant_id) = &line.tenant_id {
        stream = stream.in_tenant(tenant_id)?;
    }
    let payload = json(PAYLOAD[0], line.payload, line.payload_text)?;
    let missing = || InvalidInput::new(PAYLOAD[0], Problem::Empty);
    let content = Content {
        event_id: read_id("event_id", line.event_id)?,
        event_type: Cow::<'static, str>::Owned(line.event_type.into_owned()).into(),
        event_version: line.event_version,
        payload: payload.ok_or_else(missing)?,
        metadata: json(METADATA[0], line.metadata, line.metadata_text)?,
        trace_id: line.trace_id,
        correlation_id: line.correlation_id,
        causation_id: line.causation_id,
    };
    let created_at = Some(read_time("created_at", line.created_at)?);
    Ok(NewEvent { content, created_at }.recorded(&stream, version, position)?)
}

pub(super) fn json(
    field: &'static str,
    raw: Option<&RawValue>,
    text: Option<Box<str>>,
) -> Result<Option<Json>, FileProblem> {
    Ok(match (raw, text) {
        (Some(_), Some(_)) => return Err(FileProblem::malformed(format!("{field} is there twice"))),
        (raw, None) => raw.map(|raw| Json::from_raw(field, raw)).transpose()?,
        (None, Some(text)) => Some(Json::from_text(field, text)?),
    })
}
