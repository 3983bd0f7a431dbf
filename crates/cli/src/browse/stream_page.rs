use askama::Template;
use axum::extract::State;
use axum::response::Response;
use diesel_event_store::{EventStore, RecordedEvent, StreamId, StreamQuery};
use serde::Deserialize;

use super::difference::{Change, changes};
use super::links;
use super::said::Said;
use super::search::PAGE;
use super::shown::{Shown, cut};
use super::site::Site;
use super::trouble::Trouble;
use crate::commands::streams::{gone, named};
use crate::database::Database;
use crate::failure::Result;
use crate::output::number;

const STORE: EventStore = EventStore::new();
/// How many bytes of payloads a page has; more are on the next one.
const BYTES: usize = 4 << 20;
/// How many changes of an event are listed, and how many characters of each value.
const CHANGES: usize = 200;
const VALUE: usize = 2_000;

#[derive(Deserialize)]
pub struct Asked {
    #[serde(rename = "type")]
    aggregate_type: String,
    id: String,
    #[serde(default)]
    tenant: String,
    /// Only versions below it.
    before: Option<i64>,
}

/// An event, and how its payload differs from the one before.
struct Step {
    event: Shown,
    /// None for the first event.
    changes: Option<Changes>,
}

/// What changed: the first of it, where there is more than a person reads.
struct Changes {
    first: Vec<Change>,
    count: usize,
}

#[derive(Template)]
#[template(path = "stream.html")]
struct StreamPage {
    name: String,
    link: String,
    steps: Vec<Step>,
    /// The version below which the next page begins.
    rest: Option<i64>,
    /// The version with which the stream begins, if there are no events before it any more.
    begins: Option<i64>,
}

impl Changes {
    fn of(mut changes: Vec<Change>) -> Self {
        let count = changes.len();
        changes.truncate(CHANGES);
        let short = |value: Option<String>| value.map(|value| cut(&value, VALUE));
        let shortened =
            |change: Change| Change { before: short(change.before), after: short(change.after), ..change };
        Self { first: changes.into_iter().map(shortened).collect(), count }
    }

    fn count_text(&self) -> String {
        number(self.count as i64)
    }
}

pub async fn stream_page(State(site): State<Site>, Said(asked): Said<Asked>) -> Response {
    let page = page(&site, asked).await;
    let title = page.as_ref().map_or(String::new(), |page| page.name.clone());
    site.show(&title, page)
}

async fn page(site: &Site, asked: Asked) -> Result<StreamPage, Trouble> {
    let tenant = (!asked.tenant.is_empty()).then_some(asked.tenant);
    let stream = named(asked.aggregate_type, asked.id, tenant)?;
    let (looked_for, before) = (stream.clone(), asked.before.unwrap_or(i64::MAX).max(1));
    let part = site.connections.read(move |conn| newest(conn, &looked_for, before)).await?;
    let Some(rest) = part.steps.last().map(|step| step.event.version()) else {
        return Err(Trouble::missing(nothing(&stream, asked.before, part.begins)));
    };
    let begins = (!part.has_more && part.begins > 1).then_some(part.begins);
    let (rest, steps) = (part.has_more.then_some(rest), part.steps);
    Ok(StreamPage { name: stream.to_string(), link: links::stream(&stream), steps, rest, begins })
}

fn nothing(stream: &StreamId, before: Option<i64>, begins: i64) -> String {
    match before {
        Some(version) => format!("{stream} has no events below version {version}"),
        None if begins > 1 => gone(stream, begins),
        None => format!("{stream} has no events"),
    }
}

/// What stands on a page, newest first.
struct Part {
    steps: Vec<Step>,
    has_more: bool,
    /// The version with which the stream begins.
    begins: i64,
}

/// Large payloads take long to compare, so that is done here as well, where other requests do not wait.
fn newest(conn: &mut Database, stream: &StreamId, before: i64) -> Result<Part> {
    let query = StreamQuery::from(..before).backward().limit(PAGE + 1);
    let begins = STORE.first_version(conn, stream)?;
    let (mut events, mut bytes) = (Vec::new(), 0);
    for event in STORE.iter_stream(conn, stream, query) {
        let event = event?;
        let is_full = events.len() == PAGE || bytes > BYTES;
        bytes += event.payload_json().len();
        events.push(event);
        if is_full {
            let mut steps = steps(events);
            steps.pop(); // it was read to be compared with
            return Ok(Part { steps, has_more: true, begins });
        }
    }
    Ok(Part { steps: steps(events), has_more: false, begins })
}

/// Each is compared with the one after it in the list, which is older.
fn steps(events: Vec<RecordedEvent>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::with_capacity(events.len());
    for event in events {
        if let Some(newer) = steps.last_mut() {
            newer.changes = Some(Changes::of(changes(event.payload_json(), newer.event.payload_json())));
        }
        steps.push(Step { event: Shown::one(event), changes: None });
    }
    steps
}
