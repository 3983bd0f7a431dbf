use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::error::FileProblem;

pub(super) fn read_id(field: &str, text: &str) -> Result<Uuid, FileProblem> {
    Uuid::try_parse(text).map_err(|error| FileProblem::malformed(format!("{field} {text:?}: {error}")))
}

pub(super) fn read_time(field: &str, text: &str) -> Result<DateTime<Utc>, FileProblem> {
    text.parse().map_err(|error| FileProblem::malformed(format!("{field} {text:?}: {error}")))
}
