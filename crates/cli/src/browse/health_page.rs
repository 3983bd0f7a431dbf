use askama::Template;
use axum::extract::State;
use axum::response::Response;
use diesel_event_store::{EventStore, LogHolder};

use super::site::Site;
use super::trouble::Trouble;
use crate::commands::doctor::{self, Problem};
use crate::database::Database;
use crate::failure::Result;
use crate::output::{counted, number};

const STORE: EventStore = EventStore::new();

/// How far the log goes, and whether it goes on.
struct Log {
    id: String,
    kind: &'static str,
    state: String,
    note: Option<String>,
    ordering: String,
    last_readable: String,
    last_committed: String,
    held_back: Option<String>,
    holders: Vec<String>,
}

#[derive(Template)]
#[template(path = "health.html")]
struct HealthPage {
    problems: Vec<Problem>,
    /// None if it cannot be read: a problem says why.
    log: Option<Log>,
}

pub async fn health_page(State(site): State<Site>) -> Response {
    site.show("Health", page(&site).await)
}

async fn page(site: &Site) -> Result<HealthPage, Trouble> {
    Ok(site.connections.read(look).await?)
}

fn look(conn: &mut Database) -> Result<HealthPage> {
    let problems = doctor::problems(conn)?;
    match log(conn) {
        Err(_) if !problems.is_empty() => Ok(HealthPage { problems, log: None }),
        log => Ok(HealthPage { problems, log: Some(log?) }),
    }
}

fn log(conn: &mut Database) -> Result<Log> {
    let (status, closed) = (STORE.log_status(conn)?, STORE.log_closed(conn)?);
    Ok(Log {
        id: STORE.log_id(conn)?.to_string(),
        kind: conn.name(),
        state: closed.as_ref().map_or("open".to_owned(), |closed| closed.state().to_string()),
        note: closed.map(|closed| closed.note().to_owned()),
        ordering: format!("{:?}", STORE.log_ordering(conn)?),
        last_readable: number(status.last_readable().get()),
        last_committed: number(status.last_committed().get()),
        held_back: Some(status.positions_held_back())
            .filter(|&held| held > 0)
            .map(|held| counted(held, "position")),
        holders: status.held_back_by().iter().map(holder).collect(),
    })
}

fn holder(holder: &LogHolder) -> String {
    let process = holder.process().map_or("a prepared transaction".to_owned(), |id| format!("process {id}"));
    let since =
        holder.since().map_or(String::new(), |since| format!(", since {}", since.format("%H:%M:%S UTC")));
    format!("{process} {}{since}", holder.name().unwrap_or_default())
}
