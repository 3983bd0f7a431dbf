use diesel_event_store::projection::ProjectionStatus;
use diesel_event_store::{EventStore, LogHolder, LogStatus};
use serde_json::{Value, json};

use super::engine::Engine;
use super::ledger::Ledger;
use super::pace::{Pace, paces};
use super::projections::{object, row};
use crate::database::Database;
use crate::failure::Result;
use crate::output::{Output, counted, number};
use crate::secrets::shown;

const STORE: EventStore = EventStore::new();

pub fn status(conn: &mut Database, url: &str, output: &mut Output) -> Result {
    let (log_id, closed) = (STORE.log_id(conn)?, STORE.log_closed(conn)?);
    let (ordering, log) = (STORE.log_ordering(conn)?, STORE.log_status(conn)?);
    let (engine, ledger) = (Engine::of(conn)?, Ledger::of(conn)?);
    let projections = paces(conn)?;
    let state = closed.as_ref().map_or("open".to_owned(), |closed| closed.state().to_string());
    if output.is_json {
        output.object(&json!({
            "database": shown(url), "kind": engine.name, "version": engine.version,
            "journal_mode": engine.journal_mode, "tables": ledger.newest(),
            "log_id": log_id.to_string(), "state": state,
            "note": closed.as_ref().map(|closed| closed.note()), "ordering": format!("{ordering:?}"),
            "last_readable": log.last_readable().get(), "last_committed": log.last_committed().get(),
            "held_back": log.positions_held_back(),
            "held_back_by": log.held_back_by().iter().map(holder_object).collect::<Vec<_>>(),
        }))?;
        return projections.iter().try_for_each(|(status, pace)| output.object(&paced_object(status, pace)));
    }
    output.text(format!("{}  {engine}  log {log_id}  {state}", shown(url)))?;
    if let Some(closed) = closed {
        output.text(format!("  takes no events: {}", closed.note()))?;
    }
    let tables = ledger.newest().map_or(String::new(), |newest| format!("  tables {newest}"));
    output.text(format!("to position {}  {ordering:?}{tables}", number(log.last_readable().get())))?;
    held_back(&log, output)?;
    output.table(&projections.iter().map(|(status, pace)| row(status, pace.as_ref())).collect::<Vec<_>>())?;
    unhealthy(projections.iter().map(|(status, _)| status), output)
}

fn paced_object(status: &ProjectionStatus, pace: &Option<Pace>) -> Value {
    let mut object = object(status);
    object["per_second"] = json!(pace.as_ref().map(|pace| pace.per_second));
    object["seconds_left"] = json!(pace.as_ref().and_then(|pace| pace.left).map(|left| left.as_secs_f64()));
    object
}

fn holder_object(holder: &LogHolder) -> Value {
    let since = holder.since().map(|since| since.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string());
    json!({ "process": holder.process(), "name": holder.name(), "since": since })
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

fn unhealthy<'s>(projections: impl Iterator<Item = &'s ProjectionStatus>, output: &mut Output) -> Result {
    let partitions = projections.flat_map(|of| of.partitions().iter().map(move |one| (of, one)));
    for (of, partition) in partitions {
        if let Some(error) = partition.last_error() {
            output.text(format!("{}, partition {}: {error}", of.projection(), partition.number()))?;
        }
    }
    Ok(())
}
