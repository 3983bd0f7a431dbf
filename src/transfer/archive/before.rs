use chrono::{DateTime, Utc};

use crate::model::invalid::InvalidInput;
use crate::model::position::Position;
use crate::model::timestamp;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::error::DatabaseError;

/// Before what a stream has to end to be archived.
///
/// ```
/// use diesel_event_store::Position;
/// use diesel_event_store::chrono::{TimeDelta, Utc};
/// use diesel_event_store::transfer::Before;
///
/// let of_last_year: Before = (Utc::now() - TimeDelta::days(365)).into();
/// assert_eq!(Before::from(Position::END), Before::Position(Position::END));
/// # let _ = of_last_year;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Before {
    /// This position.
    Position(Position),
    /// The first event, by position, whose [`created_at`](crate::RecordedEvent::created_at) is this time or
    /// later. Finding it walks over all events before it. From the year 1000 to 9999.
    Time(DateTime<Utc>),
}

impl From<Position> for Before {
    fn from(position: Position) -> Self {
        Self::Position(position)
    }
}

impl From<DateTime<Utc>> for Before {
    fn from(time: DateTime<Utc>) -> Self {
        Self::Time(time)
    }
}

impl Before {
    /// The position; the end of all if nothing is as late.
    pub(super) fn position<C>(self, conn: &mut C) -> Result<Position, DatabaseError>
    where
        C: EventConnection + ?Sized,
    {
        match self {
            Self::Position(position) => Ok(position),
            Self::Time(time) => {
                let first = conn.database().first_since(timestamp::cut_to_micros(time))?;
                Ok(first.unwrap_or(Position::END))
            }
        }
    }

    pub(super) fn validate(self) -> Result<(), InvalidInput> {
        match self {
            Self::Position(_) => Ok(()),
            Self::Time(time) => timestamp::check_range("before", time),
        }
    }
}
