use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::error::FileProblem;
use crate::model::timestamp;

pub(super) fn read_id(field: &str, text: &str) -> Result<Uuid, FileProblem> {
    Uuid::try_parse(text).map_err(|error| FileProblem::malformed(format!("{field} {text:?}: {error}")))
}

pub(super) fn read_time(field: &str, text: &str) -> Result<DateTime<Utc>, FileProblem> {
    let read = timestamp::read(text).map_or_else(|| text.parse(), Ok);
    read.map_err(|error| FileProblem::malformed(format!("{field} {text:?}: {error}")))
}
