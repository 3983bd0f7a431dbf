//! Waiting for as long as it takes. Progress decides and not time, of which a busy machine has less.

use std::fmt::Debug;
use std::thread;
use std::time::{Duration, Instant};

use diesel_event_store::projection::{self, PartitionStatus, ProjectionError, ProjectionId};
use diesel_event_store::{EventConnection, Position};

use crate::Result;

/// Longer than any single step takes that is not stuck, even on a busy machine.
pub const LONG: Duration = Duration::from_secs(180);

const PAUSE: Duration = Duration::from_millis(5);

/// It is shown a state again and again, and fails only if that stands still for long.
pub struct Watchdog<S> {
    waits_for: String,
    last: Option<(S, Instant)>,
}

impl<S: PartialEq + Debug> Watchdog<S> {
    pub fn new(waits_for: impl Into<String>) -> Self {
        Self { waits_for: waits_for.into(), last: None }
    }

    pub fn show(&mut self, state: S) -> Result {
        match &self.last {
            Some((last, since)) if *last == state => self.bark_if_long(since.elapsed(), &state),
            _ => {
                self.last = Some((state, Instant::now()));
                Ok(())
            }
        }
    }

    fn bark_if_long(&self, still: Duration, state: &S) -> Result {
        if still < LONG {
            return Ok(());
        }
        Err(format!("waited for {}, but it has been at {state:?} for {still:.0?}", self.waits_for).into())
    }
}

/// Waits until it is so, which takes a single step.
pub fn eventually(what: &str, is_so: impl FnMut() -> Result<bool>) -> Result {
    advances_until(what, is_so, |is_so| *is_so)
}

/// Waits until the state is where it should be, for as long as it changes.
pub fn advances_until<S: PartialEq + Debug>(
    what: &str,
    mut state: impl FnMut() -> Result<S>,
    is_there: impl Fn(&S) -> bool,
) -> Result {
    let mut watchdog = Watchdog::new(what);
    loop {
        let state = state()?;
        if is_there(&state) {
            return Ok(());
        }
        watchdog.show(state)?;
        thread::sleep(PAUSE);
    }
}

/// Waits until a projection has applied what is at this position, for as long as its checkpoints move.
pub fn wait_for_projection<C: EventConnection>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    position: Position,
) -> Result {
    let projection = projection.into();
    let mut watchdog = Watchdog::new(format!("{projection} to apply position {position}"));
    loop {
        match projection::wait_for(conn, projection.clone(), position, Duration::from_secs(1)) {
            Err(ProjectionError::TimedOut { .. }) => watchdog.show(checkpoints(conn, &projection)?)?,
            // Its runner, in another process perhaps, has not started yet.
            Err(ProjectionError::Unknown { .. }) => {
                watchdog.show(Vec::new())?;
                thread::sleep(PAUSE);
            }
            outcome => return Ok(outcome?),
        }
    }
}

/// Where each of its partitions is.
pub fn checkpoints<C: EventConnection>(conn: &mut C, projection: &ProjectionId) -> Result<Vec<Position>> {
    let status = projection::status(conn)?;
    let status = status.iter().filter(|status| status.projection() == projection);
    Ok(status.flat_map(|status| status.partitions().iter().map(PartitionStatus::position)).collect())
}
