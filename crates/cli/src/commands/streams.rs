use std::time::Duration;

use diesel_event_store::{EventStore, StreamId};
use serde_json::json;

use super::events::show;
use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::heads::{Found, Head, Heads};
use crate::line::Line;
use crate::output::{Output, number};

/// As many as a person looks through.
const ROWS: usize = 100;
/// Read at once.
const PAGE: usize = 1_000;

pub fn streams(
    conn: &mut Database,
    aggregate_type: Option<String>,
    prefix: Option<String>,
    limit: Option<usize>,
    output: &mut Output,
) -> Result {
    let (aggregate_type, prefix) = (aggregate_type.unwrap_or_default(), prefix.unwrap_or_default());
    let wanted = Heads { aggregate_type, prefix, ..Heads::default() };
    match output.is_json {
        true => objects(conn, &wanted, limit.unwrap_or(usize::MAX), output),
        false => table(conn, &wanted, limit.unwrap_or(ROWS), output),
    }
}

fn table(conn: &mut Database, wanted: &Heads, limit: usize, output: &mut Output) -> Result {
    let Found { heads, rest } = wanted.find(conn, None, limit, Duration::MAX)?;
    output.table(&heads.into_iter().map(row).collect::<Vec<_>>())?;
    if rest.is_some() {
        output.aside(Line::default().dim(format!("there are more than these {limit}: say --limit")));
    }
    Ok(())
}

/// For programs, which want all of them: a page is in memory.
fn objects(conn: &mut Database, wanted: &Heads, limit: usize, output: &mut Output) -> Result {
    let (mut left, mut after) = (limit, None);
    while left > 0 {
        let Found { heads, rest } = wanted.find(conn, after, left.min(PAGE), Duration::MAX)?;
        left -= heads.len();
        heads.into_iter().try_for_each(|(tenant, aggregate_type, aggregate_id, version)| {
            output.object(&json!({
                "tenant_id": tenant, "aggregate_type": aggregate_type, "aggregate_id": aggregate_id,
                "aggregate_version": version,
            }))
        })?;
        if rest.is_none() {
            break;
        }
        after = rest;
    }
    Ok(())
}

fn row((tenant, aggregate_type, aggregate_id, version): Head) -> Vec<String> {
    let tenant = if tenant.is_empty() { tenant } else { format!("(tenant {tenant})") };
    vec![aggregate_type, aggregate_id, number(version), tenant]
}

pub fn stream(
    conn: &mut Database,
    aggregate_type: String,
    aggregate_id: String,
    tenant: Option<String>,
    output: &mut Output,
) -> Result {
    let stream = named(aggregate_type, aggregate_id, tenant)?;
    let store = EventStore::new();
    let begins = store.first_version(conn, &stream)?;
    let gone = gone(&stream, begins);
    let mut is_empty = true;
    for event in store.iter_stream(conn, &stream, ..) {
        if is_empty && begins > 1 {
            output.aside(Line::default().dim(&gone));
        }
        show(&event?, output)?;
        is_empty = false;
    }
    match (is_empty, begins) {
        (true, 1) => Err(Failure::new("no_stream", format!("{stream} has no events"))),
        (true, _) => Err(Failure::new("no_events", gone)),
        (false, _) => Ok(()),
    }
}

/// What is told of a stream that begins with this version.
pub fn gone(stream: &StreamId, begins: i64) -> String {
    format!("the events of {stream} up to version {} were archived or erased", begins - 1)
}

pub fn named(aggregate_type: String, aggregate_id: String, tenant: Option<String>) -> Result<StreamId> {
    let usage = |error: diesel_event_store::InvalidInput| Failure::Usage(error.to_string());
    let stream = StreamId::new(aggregate_type, aggregate_id).map_err(usage)?;
    match tenant {
        Some(tenant) => stream.in_tenant(tenant).map_err(usage),
        None => Ok(stream),
    }
}
