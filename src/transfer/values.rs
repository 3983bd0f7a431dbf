use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::error::FileProblem;
use crate::model::invalid::{InvalidInput, Problem};
use crate::model::position::Position;
use crate::model::timestamp;

/// Above it nothing can be appended on every database: PostgreSQL's readers have 48 bits for a position.
const HIGHEST: i64 = (1 << 48) - 1;
/// As many bytes as MySQL keeps.
const TEXT_BYTES: usize = 65_535;

pub(super) fn read_id(field: &str, text: &str) -> Result<Uuid, FileProblem> {
    Uuid::try_parse(text).map_err(|error| FileProblem::malformed(format!("{field} {text:?}: {error}")))
}

pub(super) fn read_time(field: &'static str, text: &str) -> Result<DateTime<Utc>, FileProblem> {
    let read = timestamp::read(text).map_or_else(|| text.parse(), Ok);
    let time = read.map_err(|error| FileProblem::malformed(format!("{field} {text:?}: {error}")))?;
    Ok(timestamp::check_range(field, time).map(|()| time)?)
}

/// Whether a log can go on above it.
pub(super) fn check_room(field: &'static str, position: Position) -> Result<(), FileProblem> {
    check_number(field, position.get(), 0..=HIGHEST)
}

pub(super) fn check_number(
    field: &'static str,
    value: i64,
    range: RangeInclusive<i64>,
) -> Result<(), FileProblem> {
    let (lowest, highest) = range.into_inner();
    match (lowest..=highest).contains(&value) {
        true => Ok(()),
        false => Err(InvalidInput::new(field, Problem::OutOfRange { value, lowest, highest }).into()),
    }
}

/// Whether every database keeps it.
pub(super) fn check_text(field: &str, text: &str) -> Result<(), FileProblem> {
    match text.len() > TEXT_BYTES || text.contains('\0') {
        true => Err(FileProblem::malformed(format!(
            "{field} is too long or has a NUL, which not every database keeps"
        ))),
        false => Ok(()),
    }
}
