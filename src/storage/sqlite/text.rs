//! How ids and times are written in TEXT columns.

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::deserialize;
use uuid::Uuid;

use crate::model::timestamp;

pub(super) fn parse_id(text: &str) -> deserialize::Result<Uuid> {
    Uuid::try_parse(text).map_err(|error| format!("event_id {text:?}: {error}").into())
}

/// `2026-11-22T05:12:45.403334Z`: always six digits, so that it sorts as text.
pub(super) fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Any RFC 3339 time, for rows that were written by hand.
pub(super) fn parse_time(text: &str) -> deserialize::Result<DateTime<Utc>> {
    if let Some(time) = timestamp::read(text) {
        return Ok(time);
    }
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Ok(time.to_utc()),
        Err(error) => Err(format!("time {text:?}: {error}").into()),
    }
}
