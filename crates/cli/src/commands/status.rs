use diesel_event_store::projection::{self, ProjectionStatus};
use diesel_event_store::{EventStore, LogStatus};
use serde_json::json;

use super::projections::{object, row};
use crate::database::{Database, shown};
use crate::failure::Result;
use crate::output::{Output, counted, number};

const STORE: EventStore = EventStore::new();

pub fn status(conn: &mut Database, url: &str, output: &mut Output) -> Result {
    let (log_id, closed) = (STORE.log_id(conn)?, STORE.log_closed(conn)?);
    let (ordering, log) = (STORE.log_ordering(conn)?, STORE.log_status(conn)?);
    let projections = projection::status(conn)?;
    let state = closed.as_ref().map_or("open".to_owned(), |closed| closed.state().to_string());
    if output.is_json {
        output.object(&json!({
            "database": shown(url), "kind": conn.name(), "log_id": log_id.to_string(), "state": state,
            "note": closed.as_ref().map(|closed| closed.note()), "ordering": format!("{ordering:?}"),
            "last_readable": log.last_readable().get(), "last_committed": log.last_committed().get(),
        }))?;
        return projections.iter().try_for_each(|status| output.object(&object(status)));
    }
    output.text(format!("{}  {}  log {log_id}  {state}", shown(url), conn.name()))?;
    if let Some(closed) = closed {
        output.text(format!("  takes no events: {}", closed.note()))?;
    }
    output.text(format!("to position {}  {ordering:?}", number(log.last_readable().get())))?;
    held_back(&log, output)?;
    output.table(&projections.iter().map(row).collect::<Vec<_>>())?;
    unhealthy(&projections, output)
}

/// Committed events that readers do not see yet, and whose transactions they wait for.
fn held_back(log: &LogStatus, output: &mut Output) -> Result {
    if log.positions_held_back() == 0 {
        return Ok(());
    }
    output.text(format!("{} held back by", counted(log.positions_held_back(), "position")))?;
    for holder in log.held_back_by() {
        let process = holder.process().map_or("a prepared transaction".into(), |process| process.to_string());
        output.text(format!("  {process} {}", holder.name().unwrap_or_default()))?;
    }
    Ok(())
}

fn unhealthy(projections: &[ProjectionStatus], output: &mut Output) -> Result {
    let partitions = projections.iter().flat_map(|of| of.partitions().iter().map(move |one| (of, one)));
    for (of, partition) in partitions {
        if let Some(error) = partition.last_error() {
            output.text(format!("{}, partition {}: {error}", of.projection(), partition.number()))?;
        }
    }
    Ok(())
}
