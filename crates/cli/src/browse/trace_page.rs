use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use diesel_event_store::{LogQuery, Position, StreamId};
use serde::Deserialize;

use super::links;
use super::said::Said;
use super::search::read;
use super::shown::Shown;
use super::site::Site;
use super::trouble::Trouble;
use crate::family::{Member, tree};

/// How many events of a correlation are shown, from the first.
const MOST: usize = 500;
/// How many streams can be told apart by their colours.
const LANES: usize = 6;

#[derive(Deserialize)]
pub struct Asked {
    correlation: String,
}

#[derive(Template)]
#[template(path = "trace.html")]
struct TracePage {
    correlation: String,
    members: Vec<Relative>,
    is_cut: bool,
}

/// An event within the tree, as the template shows it.
struct Relative {
    event: Shown,
    level: usize,
    indent: usize,
    lane: usize,
}

impl TracePage {
    fn log_link(&self) -> String {
        links::log_of(&self.correlation)
    }
}

pub async fn trace_page(State(site): State<Site>, Said(asked): Said<Asked>) -> Response {
    site.show("Trace", page(&site, asked.correlation).await)
}

async fn page(site: &Site, correlation: String) -> Result<TracePage, Trouble> {
    let query = LogQuery::after(Position::START).without_archived().correlation_id(&correlation);
    let slice = site.connections.read(move |conn| read(conn, &query, MOST)).await?;
    if slice.is_empty() {
        return Err(Trouble::missing(format!("no event has the correlation id {correlation}")));
    }
    Ok(TracePage { correlation, is_cut: !slice.is_end(), members: in_lanes(tree(slice.into_events())) })
}

fn in_lanes(members: Vec<Member>) -> Vec<Relative> {
    let mut lanes = HashMap::<StreamId, usize>::new();
    let relative = |member: Member| {
        let next = lanes.len() % LANES;
        let lane = *lanes.entry(member.event.stream().clone()).or_insert(next);
        Relative { level: member.level, indent: member.indent(), lane, event: Shown::one(member.event) }
    };
    members.into_iter().map(relative).collect()
}

#[cfg(test)]
mod tests {
    use diesel_event_store::NewEvent;

    use super::*;

    #[test]
    fn a_stream_has_one_lane() {
        let members = [1, 2, 1].map(|id| {
            let stream = StreamId::new("Thing", id).unwrap();
            let event = NewEvent::new("Happened", &()).unwrap();
            Member { event: event.recorded(&stream, 1, Position::new(1).unwrap()).unwrap(), level: 1 }
        });
        let lanes: Vec<usize> = in_lanes(members.into()).iter().map(|relative| relative.lane).collect();
        assert_eq!(lanes, [0, 1, 0]);
    }
}
