//! How ids and times are written in TEXT columns.

use std::ops::Range;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use diesel::deserialize;
use uuid::Uuid;

pub(super) fn parse_id(text: &str) -> deserialize::Result<Uuid> {
    Uuid::try_parse(text).map_err(|error| format!("event_id {text:?}: {error}").into())
}

/// `2026-11-22T05:12:45.403334Z`: always six digits, so that it sorts as text.
pub(super) fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Any RFC 3339 time, for rows that were written by hand. What this crate has written is read without
/// chrono's parser, which cost some 4 % of reading the log.
pub(super) fn parse_time(text: &str) -> deserialize::Result<DateTime<Utc>> {
    if let Some(time) = parse_time_text(text.as_bytes()) {
        return Ok(time);
    }
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Ok(time.to_utc()),
        Err(error) => Err(format!("time {text:?}: {error}").into()),
    }
}

/// Exactly what `time_text` writes.
fn parse_time_text(text: &[u8]) -> Option<DateTime<Utc>> {
    let text: &[u8; 27] = text.try_into().ok()?;
    if [4, 7, 10, 13, 16, 19, 26].map(|at| text[at]) != *b"--T::.Z" {
        return None;
    }
    let number = |digits: Range<usize>| {
        text[digits].iter().try_fold(0, |number: u32, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
        })
    };
    let year = i32::try_from(number(0..4)?).ok()?;
    let day = NaiveDate::from_ymd_opt(year, number(5..7)?, number(8..10)?)?;
    let time = day.and_hms_micro_opt(number(11..13)?, number(14..16)?, number(17..19)?, number(20..26)?)?;
    Some(time.and_utc())
}
