use std::thread;
use std::time::{Duration, Instant};

use super::error::FreezeError;
use crate::model::chance::up_to;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::error::DatabaseError;

/// Between two attempts, so that what has waited behind one is all through before the next.
const PAUSE: Duration = Duration::from_millis(100);

/// Again and again as long as transactions are in the way, until it succeeds or that has taken too long.
pub(crate) fn patiently<C: EventConnection + ?Sized, T>(
    conn: &mut C,
    patience: Duration,
    mut attempt: impl FnMut(&mut C) -> Result<T, DatabaseError>,
) -> Result<T, FreezeError> {
    let begin = Instant::now();
    loop {
        match attempt(conn) {
            Err(error) if error.kind().has_given_way() => {}
            outcome => return Ok(outcome?),
        }
        let by = conn.database().in_the_way()?;
        let waited = begin.elapsed();
        if waited >= patience {
            return Err(FreezeError::InTheWay { waited, by });
        }
        thread::sleep(PAUSE + up_to(PAUSE));
    }
}
