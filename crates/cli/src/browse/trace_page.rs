use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use diesel_event_store::{LogQuery, Position};
use serde::Deserialize;

use super::family::{Member, tree};
use super::links;
use super::search::read;
use super::site::Site;
use super::trouble::Trouble;

/// How many events of a correlation are shown, from the first.
const MOST: usize = 500;

#[derive(Deserialize)]
pub struct Asked {
    correlation: String,
}

#[derive(Template)]
#[template(path = "trace.html")]
struct TracePage {
    correlation: String,
    members: Vec<Member>,
    is_cut: bool,
}

impl TracePage {
    fn log_link(&self) -> String {
        format!("/?correlation={}", links::encoded(&self.correlation))
    }
}

pub async fn trace_page(State(site): State<Site>, Query(asked): Query<Asked>) -> Response {
    site.show("Trace", page(&site, asked.correlation).await)
}

async fn page(site: &Site, correlation: String) -> Result<TracePage, Trouble> {
    let query = LogQuery::after(Position::START).without_archived().correlation_id(&correlation);
    let slice = site.connections.read(move |conn| read(conn, &query, MOST)).await?;
    if slice.is_empty() {
        return Err(Trouble::missing(format!("no event has the correlation id {correlation}")));
    }
    Ok(TracePage { correlation, is_cut: !slice.is_end(), members: tree(slice.into_events()) })
}
