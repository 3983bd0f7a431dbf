use chrono::SecondsFormat;
use serde_json::json;

use crate::model::timestamp;

/// What stands in a log that is frozen. No two are the same.
pub(super) fn note(reason: &str) -> String {
    let since = timestamp::now().to_rfc3339_opts(SecondsFormat::Micros, true);
    json!({ "reason": reason, "since": since }).to_string()
}
