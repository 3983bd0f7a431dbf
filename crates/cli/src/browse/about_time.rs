use diesel_event_store::chrono::{DateTime, NaiveDateTime, Utc};
use diesel_event_store::{EventConnection, EventStore, Position};

use super::trouble::Trouble;
use crate::failure::Result;

const STORE: EventStore = EventStore::new();

/// As a form says it, in UTC.
pub fn time(said: &str) -> Result<DateTime<Utc>, Trouble> {
    let formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"];
    let time = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(said.trim(), format).ok());
    time.map(|time| time.and_utc())
        .ok_or_else(|| Trouble::wrong(format!("{said} is no time like 2026-11-26T08:15")))
}

/// A position before which the newest event is about as old as a time. Halving finds it in some twenty reads;
/// it need not be exact, as times do not decide the order of events.
pub fn position<C: EventConnection + ?Sized>(conn: &mut C, time: DateTime<Utc>) -> Result<Position> {
    let (mut low, mut high) = (0, STORE.last_position(conn)?.get());
    while low < high {
        let middle = low + (high - low + 1) / 2;
        let slice = STORE.read_backward(conn, stored(middle + 1), 1)?;
        match slice.events().first() {
            Some(event) if event.created_at() <= time => low = middle,
            Some(event) => high = event.position().get() - 1,
            None => high = middle - 1,
        }
    }
    Ok(stored(low + 1))
}

fn stored(position: i64) -> Position {
    Position::new(position).expect("it is within the log")
}
