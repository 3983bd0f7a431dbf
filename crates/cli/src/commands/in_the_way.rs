use std::io::{self, BufRead, Read};

use diesel_event_store::{EventStore, Position};
use serde::Deserialize;

use super::files::open;
use crate::database::Database;
use crate::failure::Result;
use crate::output::number;

const STORE: EventStore = EventStore::new();

/// Longer than the first line of an export.
const FIRST_LINE: u64 = 4096;

#[derive(Deserialize)]
struct Header {
    diesel_event_store: String,
    log_id: String,
    end: Position,
}

/// What would be lost with a file that an export replaces. Nothing, if it is an earlier export of the same
/// log: what it has is in the new one.
pub fn in_the_way(conn: &mut Database, name: &str) -> Result<Option<String>> {
    let log_id = STORE.log_id(conn)?.to_string();
    Ok(match header(name) {
        Some(header) if header.diesel_event_store != "log" => {
            Some("it is an archive: its events may be nowhere else".to_owned())
        }
        Some(header) if header.log_id != log_id => Some("it is an export of another log".to_owned()),
        Some(header) => more(conn, name, header.end)?,
        None => Some("it is no export".to_owned()),
    })
}

/// What an export of the same log has, and the log has no longer.
fn more(conn: &mut Database, name: &str, end: Position) -> Result<Option<String>> {
    let last = STORE.last_position(conn)?;
    if end > last {
        let (end, last) = (number(end.get()), number(last.get()));
        return Ok(Some(format!("it goes up to position {end}, and the log only to {last}")));
    }
    let archived_to = STORE.archived_to(conn)?;
    let is_suspect = archived_to > Position::START && archived_to <= end;
    // What cannot be read may be there.
    let is_there = is_suspect && has_event(name, archived_to).unwrap_or(true);
    Ok(is_there.then(|| "it has events that the log has no longer, because they were archived".to_owned()))
}

/// Whether an export has the event at this position, and not only what is left of it.
fn has_event(name: &str, position: Position) -> io::Result<bool> {
    let event = format!("{{\"global_position\":{position},");
    let gone = format!("{{\"gone\":{event}");
    for line in open(name, true)?.split(b'\n') {
        let line = line?;
        if line.starts_with(event.as_bytes()) {
            return Ok(true);
        }
        if line.starts_with(gone.as_bytes()) {
            return Ok(false);
        }
    }
    Ok(false)
}

fn header(name: &str) -> Option<Header> {
    let mut line = Vec::new();
    open(name, true).ok()?.take(FIRST_LINE).read_until(b'\n', &mut line).ok()?;
    serde_json::from_slice(&line).ok()
}
