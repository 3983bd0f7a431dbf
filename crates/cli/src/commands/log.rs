use std::thread;
use std::time::Duration;

use diesel_event_store::{EventStore, LogQuery, Position};

use super::events::show;
use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::output::Output;

/// How long `--follow` waits at the end of the log.
const PAUSE: Duration = Duration::from_millis(300);
const PAGE: usize = 500;

pub struct Wanted {
    pub after: i64,
    pub types: Vec<String>,
    pub correlation: Option<String>,
    pub limit: Option<u64>,
    pub follow: bool,
}

/// Page by page, without what was archived. A reader that goes on where the last page was scanned to misses
/// no event.
pub fn log(conn: &mut Database, wanted: Wanted, output: &mut Output) -> Result {
    let mut after = Position::new(wanted.after).map_err(|error| Failure::Usage(error.to_string()))?;
    let mut left = wanted.limit.unwrap_or(u64::MAX);
    while left > 0 {
        let page = usize::try_from(left).map_or(PAGE, |left| left.min(PAGE));
        let slice = EventStore::new().read_log(conn, &query(after, &wanted), page)?;
        after = slice.scanned_to();
        left -= slice.len() as u64;
        for event in slice.events() {
            show(event, output)?;
        }
        output.flush()?;
        match (slice.is_end(), wanted.follow) {
            (true, false) => break,
            (true, true) => thread::sleep(PAUSE),
            (false, _) => {}
        }
    }
    Ok(())
}

fn query(after: Position, wanted: &Wanted) -> LogQuery {
    let query = LogQuery::after(after).without_archived();
    let query = if wanted.types.is_empty() { query } else { query.event_types(wanted.types.iter().cloned()) };
    match &wanted.correlation {
        Some(correlation) => query.correlation_id(correlation),
        None => query,
    }
}
