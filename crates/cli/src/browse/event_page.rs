use askama::Template;
use axum::extract::State;
use axum::response::Response;
use diesel_event_store::uuid::Uuid;
use diesel_event_store::{EventStore, LogQuery, RecordedEvent};

use super::links;
use super::said::Named;
use super::search::{PAGE, read};
use super::shown::Shown;
use super::site::Site;
use super::trouble::Trouble;
use crate::database::Database;
use crate::failure::Result;
use crate::output::counted;

const STORE: EventStore = EventStore::new();
/// How many events of the same correlation are looked at for what this one has caused.
const RELATED: usize = 1_000;

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    event: Shown,
    /// With where they are.
    neighbours: Vec<(&'static str, Shown)>,
    cause: Option<Shown>,
    effects: Effects,
}

#[derive(Default)]
struct Effects {
    events: Vec<Shown>,
    /// Why there may be more than those.
    rest: Option<String>,
}

impl EventPage {
    /// All events of its correlation.
    fn log_link(&self) -> String {
        links::log_of(self.event.correlation_id().unwrap_or_default())
    }
}

pub async fn event_page(State(site): State<Site>, Named(id): Named) -> Response {
    site.show("Event", page(&site, &id).await)
}

async fn page(site: &Site, said: &str) -> Result<EventPage, Trouble> {
    let id = id(said)?;
    let found = site.connections.read(move |conn| found(conn, id)).await?;
    found.ok_or_else(|| missing(id))
}

pub fn id(said: &str) -> Result<Uuid, Trouble> {
    Uuid::try_parse(said).map_err(|error| Trouble::wrong(format!("{said}: {error}")))
}

pub fn missing(id: Uuid) -> Trouble {
    Trouble::missing(format!("there is no event with the id {id}"))
}

fn found(conn: &mut Database, id: Uuid) -> Result<Option<EventPage>> {
    let Some(event) = STORE.read_event(conn, id)? else { return Ok(None) };
    Ok(Some(EventPage {
        neighbours: neighbours(conn, &event)?,
        cause: cause(conn, &event)?,
        effects: effects(conn, &event)?,
        event: Shown::one(event),
    }))
}

fn neighbours(conn: &mut Database, event: &RecordedEvent) -> Result<Vec<(&'static str, Shown)>> {
    let (version, position) = (event.version(), event.position());
    let stream = STORE.read_stream(conn, event.stream(), version - 1..=version.saturating_add(1))?;
    let earlier = STORE.read_backward(conn, position, 1)?;
    let later = STORE.read_log(conn, &LogQuery::after(position).without_archived(), 1)?;
    let mut neighbours = Vec::new();
    for neighbour in stream.into_iter().filter(|other| other.version() != version) {
        let place =
            if neighbour.version() < version { "Before it in the stream" } else { "After it in the stream" };
        neighbours.push((place, Shown::one(neighbour)));
    }
    neighbours.extend(earlier.into_iter().map(|event| ("Before it in the log", Shown::one(event))));
    neighbours.extend(later.into_iter().map(|event| ("After it in the log", Shown::one(event))));
    Ok(neighbours)
}

/// None if it was caused by something that is no event, such as a command.
fn cause(conn: &mut Database, event: &RecordedEvent) -> Result<Option<Shown>> {
    let id = event.causation_id().and_then(|id| Uuid::try_parse(id).ok());
    let cause = id.map(|id| STORE.read_event(conn, id)).transpose()?.flatten();
    Ok(cause.map(Shown::one))
}

/// Causes have no index, so effects are looked for among the events of the same correlation.
fn effects(conn: &mut Database, event: &RecordedEvent) -> Result<Effects> {
    let Some(correlation) = event.correlation_id() else { return Ok(Effects::default()) };
    let later = LogQuery::after(event.position()).without_archived().correlation_id(correlation);
    let related = read(conn, &later, RELATED)?;
    let (looked_at, is_end) = (related.len(), related.is_end());
    let mut events: Vec<_> = related.into_iter().filter(|other| is_caused_by(other, event.id())).collect();
    let rest = match events.len() {
        found if found > PAGE => Some(format!("These are the first {PAGE} of {found} that were found.")),
        _ if is_end => None,
        _ => Some(format!(
            "Only the next {} of its correlation have been looked at.",
            counted(looked_at as i64, "event")
        )),
    };
    events.truncate(PAGE);
    Ok(Effects { events: Shown::all(events), rest })
}

fn is_caused_by(event: &RecordedEvent, id: Uuid) -> bool {
    event.causation_id().and_then(|cause| Uuid::try_parse(cause).ok()) == Some(id)
}
