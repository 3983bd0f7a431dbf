use chrono::SecondsFormat;
use serde_json::{Value, json};

use crate::model::timestamp;

/// What stands in a log that is frozen. No two are the same.
pub(super) fn note(reason: &str) -> String {
    frozen(reason).to_string()
}

/// The same of a log that moves.
#[cfg(all(feature = "transfer", feature = "_blocking"))]
pub(crate) fn note_of_move(reason: &str, id: &str) -> String {
    let mut note = frozen(reason);
    note["move"] = id.into();
    note.to_string()
}

/// The id of the move for which a log is frozen.
#[cfg(all(feature = "transfer", feature = "_blocking"))]
pub(crate) fn move_of(note: &str) -> Option<String> {
    read(note)["move"].as_str().map(str::to_owned)
}

/// From now on the log is at its other place: it may be open there.
#[cfg(all(feature = "transfer", feature = "_blocking"))]
pub(crate) fn moved(note: &str) -> String {
    let mut note = read(note);
    note["has_moved"] = true.into();
    note.to_string()
}

pub(crate) fn has_moved(note: &str) -> bool {
    read(note)["has_moved"] == true
}

/// Whether that is not known any more.
pub(crate) fn is_lost(note: &str) -> bool {
    note.is_empty() || read(note)["is_lost"] == true
}

fn read(note: &str) -> Value {
    serde_json::from_str(note).unwrap_or_default()
}

fn frozen(reason: &str) -> Value {
    let since = timestamp::now().to_rfc3339_opts(SecondsFormat::Micros, true);
    json!({ "reason": reason, "since": since })
}
