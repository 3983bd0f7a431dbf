#[cfg(any(feature = "sqlite", all(feature = "transfer", feature = "_blocking")))]
use std::ops::Range;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Timelike, Utc};

use crate::model::invalid::{InvalidInput, Problem};

/// The years that every database can store and that sort correctly as text.
const FIRST_YEAR: i32 = 1000;
const LAST_YEAR: i32 = 9999;

pub(crate) fn now() -> DateTime<Utc> {
    cut_to_micros(Utc::now())
}

/// The time as every database stores it: to the microsecond, the rest cut off.
pub(crate) fn cut_to_micros(time: DateTime<Utc>) -> DateTime<Utc> {
    // chrono writes a leap second as a second of up to 1,999,999,999 nanoseconds; no database can store it.
    let micros = (time.nanosecond() / 1_000).min(999_999);
    time.with_nanosecond(micros * 1_000).expect("less than a second of nanoseconds is always valid")
}

pub(crate) fn check_range(field: &'static str, time: DateTime<Utc>) -> Result<(), InvalidInput> {
    if (FIRST_YEAR..=LAST_YEAR).contains(&time.year()) {
        return Ok(());
    }
    let (earliest, latest) = limits();
    Err(InvalidInput::new(field, Problem::TimeOutOfRange { time, earliest, latest }))
}

/// The time that every database can be asked about: those that no database stores are before or after all that
/// are stored.
pub(crate) fn within_range(time: DateTime<Utc>) -> DateTime<Utc> {
    let (earliest, latest) = limits();
    cut_to_micros(time.clamp(earliest, latest))
}

fn limits() -> (DateTime<Utc>, DateTime<Utc>) {
    let first_day = NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1).expect("a day of the calendar");
    let last_day = NaiveDate::from_ymd_opt(LAST_YEAR, 12, 31).expect("a day of the calendar");
    let last_time = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).expect("a time of the day");
    (first_day.and_time(NaiveTime::MIN).and_utc(), last_day.and_time(last_time).and_utc())
}

/// `2026-11-22T05:12:45.403334Z`, always with six digits; none for any other text, though it may be a time.
/// chrono's parser, which knows all of them, would cost some 4 % of reading the log.
#[cfg(any(feature = "sqlite", all(feature = "transfer", feature = "_blocking")))]
pub(crate) fn read(text: &str) -> Option<DateTime<Utc>> {
    let text: &[u8; 27] = text.as_bytes().try_into().ok()?;
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
