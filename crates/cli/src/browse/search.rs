use std::time::{Duration, Instant};

use diesel_event_store::{
    EventConnection, EventStore, LogQuery, LogSlice, Position, ReadError, RecordedEvent,
};

use super::wanted::Wanted;
use crate::failure::{Failure, Result};

/// How many events a page has.
pub const PAGE: usize = 50;
/// How long a person waits for a page.
pub const PATIENCE: Duration = Duration::from_millis(300);
/// How many events are read at once, at first and later.
const FIRST: usize = PAGE + 1;
const LARGEST: usize = 2_000;
/// How many bytes are read at once.
const BYTES: usize = 4 << 20;

/// A page of the log, newest first.
pub struct Found {
    pub events: Vec<RecordedEvent>,
    /// Where the next page begins; none at the beginning of the log.
    pub rest: Option<Position>,
    /// It has taken too long to find a whole page.
    pub is_cut: bool,
}

/// The last events before a position. Types have no index, so they are looked for while there is time.
pub fn newest<C: EventConnection + ?Sized>(
    conn: &mut C,
    wanted: &Wanted,
    before: Position,
    patience: Duration,
) -> Result<Found> {
    let (begun, mut before, mut at_once, mut events) = (Instant::now(), before, FIRST, Vec::new());
    loop {
        let query = wanted.narrow_by_index(LogQuery::before(before)).max_bytes(BYTES);
        let slice = read(conn, &query, at_once)?;
        let (scanned_to, is_end) = (slice.scanned_to(), slice.is_end());
        events.extend(slice.into_iter().filter(|event| wanted.has_type_of(event)));
        if events.len() > PAGE {
            events.truncate(PAGE);
            return Ok(Found { rest: events.last().map(RecordedEvent::position), events, is_cut: false });
        }
        if is_end {
            return Ok(Found { events, rest: None, is_cut: false });
        }
        if begun.elapsed() >= patience {
            return Ok(Found { events, rest: Some(scanned_to), is_cut: true });
        }
        before = scanned_to;
        at_once = LARGEST.min(at_once * 2);
    }
}

/// A condition that cannot be is the person's own.
pub fn read<C: EventConnection + ?Sized>(conn: &mut C, query: &LogQuery, limit: usize) -> Result<LogSlice> {
    EventStore::new().read_log(conn, query, limit).map_err(|error| match error {
        ReadError::Invalid(invalid) => Failure::Usage(invalid.to_string()),
        other => other.into(),
    })
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use diesel::prelude::*;
    use diesel_event_store::{ExpectedVersion, NewEvent, StreamId, run_pending_migrations};

    use super::*;

    #[test]
    fn it_says_where_it_has_stopped_and_goes_on_from_there() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        run_pending_migrations(&mut conn).unwrap();
        let event = |number| NewEvent::new(if number == 1 { "Rare" } else { "Usual" }, &()).unwrap();
        let events: Vec<NewEvent> = (1..=200).map(event).collect();
        let stream = StreamId::new("Thing", 1).unwrap();
        EventStore::new().append(&mut conn, &stream, ExpectedVersion::Any, &events).unwrap();

        let rare = Wanted { types: "Rare".into(), correlation: String::new() };
        let mut look = |before, patience| newest(&mut conn, &rare, before, patience).unwrap();
        let first = look(Position::END, Duration::ZERO);
        assert!(first.is_cut && first.events.is_empty());
        assert_eq!(first.rest.map(Position::get), Some(200 - FIRST as i64 + 1));
        let found = look(first.rest.unwrap(), Duration::MAX);
        assert!(!found.is_cut && found.rest.is_none() && found.events.len() == 1);
    }
}
