//! How events are shown.

use std::borrow::Cow;

use diesel_event_store::uuid::Uuid;
use diesel_event_store::{EventStore, LogQuery, Position, RecordedEvent};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::family::tree;
use crate::line::Line;
use crate::output::{Output, number};
use crate::pretty::{Indented, pretty};

/// How many bytes JSON has with indents, at most.
const INDENTED: usize = 64 << 20;

/// An event as a line of JSON. What cannot stand in a line as JSON is a text.
#[derive(Serialize)]
#[serde(untagged)]
enum Json<'a> {
    Raw(&'a RawValue),
    Text(&'a str),
}

#[derive(Serialize)]
struct Object<'a> {
    global_position: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<&'a str>,
    aggregate_type: &'a str,
    aggregate_id: &'a str,
    aggregate_version: i64,
    event_id: String,
    event_type: &'a str,
    event_version: i32,
    payload: Json<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<&'a str>,
    created_at: String,
}

fn json(text: &str) -> Json<'_> {
    match serde_json::from_str(text) {
        Ok(raw) if !text.contains(['\n', '\r']) => Json::Raw(raw),
        _ => Json::Text(text),
    }
}

pub fn time(event: &RecordedEvent) -> String {
    event.created_at().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// One line, or an object.
pub fn show(event: &RecordedEvent, output: &mut Output) -> Result {
    if output.is_json {
        return output.object(&Object {
            global_position: event.position().get(),
            tenant_id: event.tenant_id(),
            aggregate_type: event.aggregate_type(),
            aggregate_id: event.aggregate_id(),
            aggregate_version: event.version(),
            event_id: event.id().to_string(),
            event_type: event.event_type(),
            event_version: event.event_version(),
            payload: json(event.payload_json()),
            metadata: event.metadata_json().map(json),
            trace_id: event.trace_id(),
            correlation_id: event.correlation_id(),
            causation_id: event.causation_id(),
            created_at: time(event),
        });
    }
    output.text(line(Line::default(), event))
}

/// Behind what the line begins with.
fn line(begun: Line, event: &RecordedEvent) -> Line {
    let (position, time) = (number(event.position().get()), time(event));
    let (stream, version, event_type) = (event.stream(), event.version(), event.event_type());
    begun
        .dim(format!("{position}  {time}"))
        .plain(format!("  {stream} {version}  {event_type}  {}", event.payload_json()))
}

/// All events of a correlation, each below the one that has caused it.
pub fn trace(conn: &mut Database, correlation: &str, output: &mut Output) -> Result {
    let query = LogQuery::after(Position::START).without_archived().correlation_id(correlation);
    let events = EventStore::new().iter_log(conn, query).collect::<Result<Vec<_>, _>>()?;
    if events.is_empty() {
        return Err(Failure::new("no_events", format!("no event has the correlation id {correlation}")));
    }
    tree(events).iter().try_for_each(|member| match output.is_json {
        true => show(&member.event, output),
        false => output.text(line(Line::from("  ".repeat(member.indent() - 1)), &member.event)),
    })
}

/// Everything about one event.
pub fn event(conn: &mut Database, id: &str, output: &mut Output) -> Result {
    let id = Uuid::try_parse(id).map_err(|error| Failure::Usage(format!("{id}: {error}")))?;
    let event = EventStore::new().read_event(conn, id)?;
    let event =
        event.ok_or_else(|| Failure::new("no_event", format!("there is no event with the id {id}")))?;
    if output.is_json {
        return show(&event, output);
    }
    let mut rows = vec![
        ("id", event.id().to_string()),
        ("type", format!("{} version {}", event.event_type(), event.event_version())),
        ("stream", event.stream().to_string()),
        ("version", event.version().to_string()),
        ("position", number(event.position().get())),
        ("created", time(&event)),
    ];
    let ids = [
        ("trace", event.trace_id()),
        ("correlation", event.correlation_id()),
        ("causation", event.causation_id()),
    ];
    rows.extend(ids.into_iter().filter_map(|(name, id)| Some((name, id?.to_owned()))));
    output.table(&rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect::<Vec<_>>())?;
    output.text(indented(event.payload_json()))?;
    match event.metadata_json() {
        Some(metadata) => output.text(format!("metadata {}", indented(metadata))),
        None => Ok(()),
    }
}

/// As it was recorded where that would be too long.
fn indented(json: &str) -> Cow<'_, str> {
    match pretty(json, INDENTED) {
        Indented { is_cut: true, .. } => Cow::Borrowed(json),
        Indented { text, .. } => Cow::Owned(text),
    }
}
