//! What a partition's thread does: it follows the log, and applies it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::context::Context;
use super::pace::{LONGEST_RECONNECT_PAUSE, Pace};
use super::read_ahead::ReadAhead;
use super::stopping::Stopping;
use crate::model::partition::Partition;
use crate::observe;
use crate::projection::apply::{Applier, Pause, Stop};
use crate::projection::definition::Projection;
use crate::projection::error::ProjectionError;
use crate::projection::progress::Progress;
use crate::storage::connection::EventConnection;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::store::wake_up;

/// How often a follower looks whether an operator has asked for something to be done with parked events.
const SERVE_EVERY: Duration = Duration::from_secs(1);

/// How long a handler may fail with errors that do not count before its partition stops: longer than a lock or an outage
/// that ends by itself.
const PATIENCE: Duration = Duration::from_secs(300);

/// Applies a partition until it is asked to stop, has failed, or another worker has it.
pub(super) fn follow<C: EventConnection + 'static>(
    context: &Arc<Context<C>>,
    projection: &Projection<C>,
    partition: &Partition,
    log: &ReadAhead,
    is_asked_to_stop: &AtomicBool,
) -> Followed {
    let pause = |longest| wake_up::pause(longest, || is_asked_to_stop.load(Ordering::Relaxed));
    let follower = Follower { context, projection, log, is_asked_to_stop, pause: &pause };
    match follower.run(partition) {
        Ok(followed) => followed,
        Err(error) => {
            let followed = match error {
                ProjectionError::HandedOver { .. } => Followed::HandedOver,
                // Nothing is wrong with the partition: it is taken again as soon as it is free.
                ProjectionError::LeaseLost { .. } => Followed::NotLeased,
                _ => Followed::Failed,
            };
            context.has_failed(error);
            followed
        }
    }
}

/// What has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Followed {
    /// It was applied, and given back.
    Applied,
    /// Another worker was faster, or has taken it over.
    NotLeased,
    Failed,
    /// A worker of another release may be able to go on.
    HandedOver,
}

struct Follower<'f, C> {
    context: &'f Arc<Context<C>>,
    projection: &'f Projection<C>,
    log: &'f ReadAhead,
    is_asked_to_stop: &'f AtomicBool,
    pause: &'f Pause<'f>,
}

impl<'f, C: EventConnection + 'static> Follower<'f, C> {
    fn run(&self, partition: &Partition) -> Result<Followed, ProjectionError> {
        let mut retry = Pace::new(LONGEST_RECONNECT_PAUSE);
        let mut conn = self.first_connection(&mut retry)?;
        let worker = &self.context.worker;
        let leased = Applier::lease(&mut conn, self.projection, partition, worker, self.pause)?;
        let Some(mut applier) = leased else { return Ok(Followed::NotLeased) };
        let mut stuck_since = None;
        loop {
            let position = applier.position();
            let stop = self.apply_until_stopped(&mut conn, &mut applier);
            if applier.position() > position {
                retry.reset();
                stuck_since = None;
            }
            match stop {
                Stop::Asked => return Ok(applier.release(&mut conn).map(|()| Followed::Applied)?),
                Stop::Moved => {}
                Stop::Error(error @ (ProjectionError::Database(_) | ProjectionError::RunAgain { .. })) => {
                    let stuck_for = stuck_since.get_or_insert_with(Instant::now).elapsed();
                    if stuck_for > PATIENCE && matches!(error, ProjectionError::RunAgain { .. }) {
                        return Err(self.stop(conn, applier, error));
                    }
                    conn = self.before_again(conn, &mut applier, error, &mut retry)?;
                }
                Stop::Error(error @ ProjectionError::HandedOver { .. }) => {
                    applier.release(&mut conn)?;
                    return Err(error);
                }
                Stop::Error(error @ ProjectionError::LeaseLost { .. }) => {
                    return if applier.is_replaced(&mut conn)? { Ok(Followed::Applied) } else { Err(error) };
                }
                Stop::Error(error) => return Err(self.stop(conn, applier, error)),
            }
        }
    }

    fn stop(&self, conn: C, applier: Applier<'f, C>, error: ProjectionError) -> ProjectionError {
        Stopping { context: self.context, applier, pause: self.pause, error }.stop(conn)
    }

    /// Reports the error and pauses. The same is then tried again, with this connection or a new one.
    fn before_again(
        &self,
        mut conn: C,
        applier: &mut Applier<'f, C>,
        error: ProjectionError,
        retry: &mut Pace,
    ) -> Result<C, ProjectionError> {
        let (text, is_usable) = (error.to_string(), is_connection_usable(&error));
        self.context.has_failed(error);
        if !is_usable {
            drop(conn);
            conn = self.reconnect(retry)?;
        }
        // If this fails, the next attempt will, too, and is reported.
        let _ = applier.note_failure(&mut conn, &text);
        if is_usable {
            // A thread that sleeps cannot renew its lease.
            (self.pause)(retry.next().min(self.projection.lease / 3));
        }
        Ok(conn)
    }

    fn first_connection(&self, retry: &mut Pace) -> Result<C, ProjectionError> {
        self.context.connect().or_else(|error| {
            self.context.has_failed(error);
            self.reconnect(retry)
        })
    }

    /// The lease may still hold when the database is back.
    fn reconnect(&self, retry: &mut Pace) -> Result<C, ProjectionError> {
        let _waiting = self.context.health.waiting();
        loop {
            if !(self.pause)(retry.next()) {
                return self.context.connect();
            }
            match self.context.connect() {
                Ok(conn) => return Ok(conn),
                Err(error) => self.context.has_failed(error),
            }
        }
    }

    /// Applies what there is, and waits for more.
    fn apply_until_stopped(&self, conn: &mut C, applier: &mut Applier<'f, C>) -> Stop {
        // A thread that sleeps cannot renew its lease.
        let longest_pause = self.context.options.longest_pause.min(self.projection.lease / 3);
        let mut pace = Pace::new(longest_pause);
        let mut served = Instant::now();
        if let Err(stop) = applier.look(conn).and_then(|()| applier.begin(conn)) {
            return stop;
        }
        loop {
            if self.is_asked_to_stop.load(Ordering::Relaxed) || applier.is_at_barrier() {
                return applier.save(conn).err().unwrap_or(Stop::Asked);
            }
            if served.elapsed() >= SERVE_EVERY {
                if let Err(stop) = applier.serve_requests(conn) {
                    return stop;
                }
                served = Instant::now();
            }
            let seen = wake_up::count();
            match self.apply_page(conn, applier) {
                Err(stop) => return stop,
                Ok(true) => pace.reset(),
                Ok(false) => {
                    observe::projection::lag(applier.partition(), Duration::ZERO);
                    pace.wait(seen);
                }
            }
        }
    }

    /// Whether there was anything new.
    fn apply_page(&self, conn: &mut C, applier: &mut Applier<'f, C>) -> Result<bool, Stop> {
        let (begin, position, applied) = (Instant::now(), applier.position(), applier.applied());
        let page = self.log.page_after(self.context, conn, position)?;
        applier.apply(conn, page.slice().events(), page.slice().scanned_to())?;
        if applier.position() == position {
            return Ok(false);
        }
        self.context.has_progressed(&Progress {
            projection: self.projection.id.clone(),
            partition: applier.partition().number,
            position: applier.position(),
            applied: applier.applied() - applied,
            took: begin.elapsed(),
        });
        Ok(true)
    }
}

/// After an error of the database that is not known to pass, a new connection may do better.
fn is_connection_usable(error: &ProjectionError) -> bool {
    let ProjectionError::Database(error) = error else { return true };
    error.is_retryable() && error.kind() != DatabaseErrorKind::ConnectionLost
}
