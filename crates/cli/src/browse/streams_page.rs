use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::links;
use super::site::Site;
use super::trouble::Trouble;
use crate::commands::streams::{Head, heads};
use crate::output::number;

/// How many streams are listed. A list of all would have no end.
const MOST: usize = 50;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    #[serde(rename = "type")]
    aggregate_type: String,
    prefix: String,
}

struct Row {
    link: String,
    tenant: String,
    name: String,
    version: String,
}

#[derive(Template)]
#[template(path = "streams.html")]
struct StreamsPage {
    asked: Asked,
    rows: Vec<Row>,
    is_cut: bool,
}

pub async fn streams_page(State(site): State<Site>, Query(asked): Query<Asked>) -> Response {
    site.show("Streams", page(&site, asked).await)
}

async fn page(site: &Site, asked: Asked) -> Result<StreamsPage, Trouble> {
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (aggregate_type, prefix) = (said(&asked.aggregate_type), said(&asked.prefix));
    let found =
        site.connections.read(move |conn| Ok(heads(conn, aggregate_type, prefix, MOST as i64 + 1)?)).await?;
    let is_cut = found.len() > MOST;
    Ok(StreamsPage { asked, rows: found.into_iter().take(MOST).map(row).collect(), is_cut })
}

fn row((tenant, aggregate_type, aggregate_id, version): Head) -> Row {
    let link = links::of_stream(&tenant, &aggregate_type, &aggregate_id);
    Row { link, tenant, name: format!("{aggregate_type}/{aggregate_id}"), version: number(version) }
}
