use diesel_event_store::Position;
use diesel_event_store::chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use crate::failure::{Failure, Result};

/// A place in the log, as it is typed.
pub enum Place {
    Position(Position),
    /// A day begins at midnight in UTC.
    Time(DateTime<Utc>),
}

impl Place {
    pub fn read(argument: &str, text: &str) -> Result<Self> {
        let usage = |error: String| Failure::Usage(format!("{argument} {text}: {error}"));
        if let Ok(position) = text.parse() {
            return Position::new(position).map(Self::Position).map_err(|error| usage(error.to_string()));
        }
        if let Ok(day) = text.parse::<NaiveDate>() {
            return Ok(Self::Time(day.and_time(NaiveTime::MIN).and_utc()));
        }
        let time = text.parse().map(Self::Time);
        time.map_err(|_| usage("this is neither a position nor a time like 2026-01-01T12:00:00Z".into()))
    }
}
