use askama::Template;
use axum::extract::State;
use axum::response::Response;
use diesel_event_store::{EventStore, Position};
use serde::Deserialize;

use super::about_time;
use super::said::Said;
use super::search::{Found, PATIENCE, newest};
use super::shown::Shown;
use super::site::Site;
use super::trouble::Trouble;
use super::wanted::Wanted;
use crate::output::number;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    before: Option<Position>,
    /// A time.
    about: String,
    types: String,
    correlation: String,
}

#[derive(Template)]
#[template(path = "log.html")]
struct LogPage {
    wanted: Wanted,
    about: String,
    events: Vec<Shown>,
    /// The end of the log, before the page was read. Only the newest page tells what is newer.
    live_after: Option<Position>,
    rest: Option<Position>,
    is_cut: bool,
}

impl LogPage {
    fn rest_place(&self) -> String {
        self.rest.map_or(String::new(), |rest| number(rest.get()))
    }
}

pub async fn log_page(State(site): State<Site>, Said(asked): Said<Asked>) -> Response {
    site.show("Log", page(&site, asked).await)
}

async fn page(site: &Site, asked: Asked) -> Result<LogPage, Trouble> {
    let Asked { before, about, types, correlation } = asked;
    let wanted = Wanted { types, correlation };
    let time = if about.is_empty() { None } else { Some(about_time::time(&about)?) };
    let looked_for = wanted.clone();
    let (end, Found { events, rest, is_cut }) = site
        .connections
        .read(move |conn| {
            let end = EventStore::new().last_position(conn)?;
            let before = match (before, time) {
                (None, Some(time)) => about_time::position(conn, time)?,
                (before, _) => before.unwrap_or(Position::END),
            };
            Ok((end, newest(conn, &looked_for, before, PATIENCE)?))
        })
        .await?;
    let live_after = (before.is_none() && time.is_none()).then_some(end);
    Ok(LogPage { wanted, about, events: Shown::all(events), live_after, rest, is_cut })
}
