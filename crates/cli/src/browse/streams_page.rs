use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::links;
use super::said::Said;
use super::search::{PAGE, PATIENCE};
use super::site::Site;
use super::trouble::Trouble;
use crate::heads::{Found, Head, Heads, Place};
use crate::output::number;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    #[serde(rename = "type")]
    aggregate_type: String,
    prefix: String,
    tenant: String,
    /// Only the streams above this place, which is none if all three are empty.
    after_tenant: String,
    after_type: String,
    after_id: String,
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
    wanted: Heads,
    rows: Vec<Row>,
    is_first: bool,
    /// Where the next page begins.
    rest: Option<String>,
    /// It has taken too long to find a whole page.
    is_cut: bool,
}

impl Asked {
    fn after(&self) -> Option<Place> {
        let (tenant, aggregate_type) = (self.after_tenant.clone(), self.after_type.clone());
        Some(Place { tenant, aggregate_type, id: self.after_id.clone() })
            .filter(|place| *place != Place::default())
    }
}

impl StreamsPage {
    fn is_narrowed(&self) -> bool {
        let Heads { tenant, aggregate_type, prefix } = &self.wanted;
        ![tenant, aggregate_type, prefix].iter().all(|field| field.is_empty())
    }

    fn first(&self) -> String {
        links::streams(&self.wanted)
    }
}

pub async fn streams_page(State(site): State<Site>, Said(asked): Said<Asked>) -> Response {
    site.show("Streams", page(&site, asked).await)
}

async fn page(site: &Site, asked: Asked) -> Result<StreamsPage, Trouble> {
    let after = asked.after();
    let is_first = after.is_none();
    let wanted = Heads { tenant: asked.tenant, aggregate_type: asked.aggregate_type, prefix: asked.prefix };
    let looked_for = wanted.clone();
    let Found { heads, rest } =
        site.connections.read(move |conn| Ok(looked_for.find(conn, after, PAGE, PATIENCE)?)).await?;
    let is_cut = rest.is_some() && heads.len() < PAGE;
    let rest = rest.map(|place| links::streams_after(&wanted, &place));
    Ok(StreamsPage { wanted, rows: heads.into_iter().map(row).collect(), is_first, rest, is_cut })
}

fn row((tenant, aggregate_type, aggregate_id, version): Head) -> Row {
    let link = links::of_stream(&tenant, &aggregate_type, &aggregate_id);
    Row { link, tenant, name: format!("{aggregate_type}/{aggregate_id}"), version: number(version) }
}
