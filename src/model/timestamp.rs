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

fn limits() -> (DateTime<Utc>, DateTime<Utc>) {
    let first_day = NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1).expect("a day of the calendar");
    let last_day = NaiveDate::from_ymd_opt(LAST_YEAR, 12, 31).expect("a day of the calendar");
    let last_time = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).expect("a time of the day");
    (first_day.and_time(NaiveTime::MIN).and_utc(), last_day.and_time(last_time).and_utc())
}
