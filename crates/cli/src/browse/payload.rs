use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use diesel_event_store::{EventStore, RecordedEvent};

use super::event_page::{id, missing};
use super::said::Named;
use super::site::Site;
use super::trouble::Trouble;

/// A payload as it was recorded, as a file: it may have more than a browser can show.
pub async fn payload(State(site): State<Site>, Named(said): Named) -> Response {
    match event(&site, &said).await {
        Ok(event) => file(&event),
        Err(trouble) => site.trouble(trouble),
    }
}

async fn event(site: &Site, said: &str) -> Result<RecordedEvent, Trouble> {
    let id = id(said)?;
    let event = site.connections.read(move |conn| Ok(EventStore::new().read_event(conn, id)?)).await?;
    event.ok_or_else(|| missing(id))
}

fn file(event: &RecordedEvent) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.json\"", event.id())),
    ];
    (headers, event.payload_json().to_owned()).into_response()
}
