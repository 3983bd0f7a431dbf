use std::fs;
use std::io::{BufRead, Read};

use diesel_event_store::uuid::Uuid;
use serde::Deserialize;

use super::files::open;

/// Longer than the first line of an export.
const FIRST_LINE: u64 = 4096;

#[derive(Deserialize)]
struct Header {
    diesel_event_store: String,
    log_id: String,
}

/// What an export would replace, unless that is an earlier export of the same log, which is in the new one.
pub fn in_the_way(name: &str, log_id: Uuid) -> Option<&'static str> {
    match fs::metadata(name) {
        Ok(there) if there.is_file() => {}
        Ok(there) if !there.is_dir() => return Some("no file that can be replaced"),
        // No file can take the name of a folder.
        _ => return None,
    }
    match header(name) {
        Some(Header { diesel_event_store, log_id: of }) if diesel_event_store == "log" => {
            (of != log_id.to_string()).then_some("an export of another log")
        }
        Some(_) => Some("an archive: its events may be nowhere else"),
        None => Some("no export"),
    }
}

fn header(name: &str) -> Option<Header> {
    let mut line = Vec::new();
    open(name, true).ok()?.take(FIRST_LINE).read_until(b'\n', &mut line).ok()?;
    serde_json::from_slice(&line).ok()
}
