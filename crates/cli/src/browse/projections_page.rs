use askama::Template;
use axum::extract::State;
use axum::response::Response;
use diesel_event_store::Position;
use diesel_event_store::projection::{self, ParkedEvent, PartitionStatus, ProjectionStatus};

use super::links;
use super::site::Site;
use super::trouble::Trouble;
use crate::commands::projections::state;
use crate::database::Database;
use crate::failure::Result;
use crate::output::number;

/// How many parked events of a projection are listed. The page is asked for again every two seconds.
const MOST: usize = 20;

struct Shown {
    name: String,
    is_healthy: bool,
    position: i64,
    last_position: i64,
    behind: i64,
    lag: String,
    partitions: Vec<Partition>,
    parked_number: i64,
    parked: Vec<Parked>,
}

struct Partition {
    number: i32,
    state: &'static str,
    owner: Option<String>,
    place: String,
    error: Option<String>,
}

struct Parked {
    link: String,
    place: String,
    stream: String,
    error: String,
}

#[derive(Template)]
#[template(path = "projections.html")]
struct ProjectionsPage {
    projections: Vec<Shown>,
}

impl Shown {
    fn position_text(&self) -> String {
        number(self.position)
    }

    fn behind_text(&self) -> String {
        number(self.behind)
    }

    fn parked_text(&self) -> String {
        number(self.parked_number)
    }

    fn is_cut(&self) -> bool {
        self.parked_number > self.parked.len() as i64
    }
}

pub async fn projections_page(State(site): State<Site>) -> Response {
    site.show("Projections", page(&site).await)
}

async fn page(site: &Site) -> Result<ProjectionsPage, Trouble> {
    let projections = site.connections.read(|conn| {
        let statuses = projection::status(conn)?;
        statuses.iter().map(|status| shown(conn, status)).collect::<Result<Vec<_>>>()
    });
    Ok(ProjectionsPage { projections: projections.await? })
}

fn shown(conn: &mut Database, status: &ProjectionStatus) -> Result<Shown> {
    let parked = match status.parked() {
        0 => Vec::new(),
        _ => projection::parked_after(conn, status.projection(), Position::START, MOST)?,
    };
    Ok(Shown {
        name: status.projection().to_string(),
        is_healthy: status.is_healthy(),
        position: status.position().get(),
        last_position: status.last_position().get(),
        behind: status.positions_behind(),
        lag: format!("{:.1} s", status.lag().as_secs_f64()),
        partitions: status.partitions().iter().map(partition).collect(),
        parked_number: status.parked(),
        parked: parked.iter().map(parked_event).collect(),
    })
}

fn partition(status: &PartitionStatus) -> Partition {
    Partition {
        number: status.number(),
        state: state(status.state()),
        owner: status.owner().map(str::to_owned),
        place: number(status.position().get()),
        error: status.last_error().map(str::to_owned),
    }
}

fn parked_event(event: &ParkedEvent) -> Parked {
    Parked {
        link: links::event(event.event_id()),
        place: number(event.position().get()),
        stream: event.stream().to_string(),
        error: format!("{:?}: {}", event.reason(), event.error()),
    }
}
