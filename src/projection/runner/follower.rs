//! What a partition's thread does: it follows the log, and applies it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::context::Context;
use super::pace::Pace;
use super::read_ahead::ReadAhead;
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

/// The longest pause between attempts to reach the database.
const LONGEST_RECONNECT_PAUSE: Duration = Duration::from_secs(10);

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
            context.has_failed(error);
            Followed::Failed
        }
    }
}

/// What has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Followed {
    /// It was applied, and given back.
    Applied,
    /// Another worker was faster.
    NotLeased,
    Failed,
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
                Stop::Error(ProjectionError::Database(error)) => {
                    let is_lost = error.kind() == DatabaseErrorKind::ConnectionLost || !error.is_retryable();
                    self.context.has_failed(error.into());
                    if is_lost {
                        drop(conn);
                        conn = self.reconnect(&mut retry)?;
                    } else {
                        (self.pause)(retry.next());
                    }
                }
                Stop::Error(error @ ProjectionError::RunAgain { .. }) => {
                    if stuck_since.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                        return Err(self.fail(conn, &applier, error)?);
                    }
                    self.context.has_failed(error);
                    // A thread that sleeps cannot renew its lease.
                    (self.pause)(retry.next().min(self.projection.lease / 3));
                }
                Stop::Error(error @ ProjectionError::LeaseLost { .. }) => {
                    return if applier.is_replaced(&mut conn)? { Ok(Followed::Applied) } else { Err(error) };
                }
                Stop::Error(error) => return Err(self.fail(conn, &applier, error)?),
            }
        }
    }

    /// The handler may have left the connection unusable, or in a transaction that diesel does not know of.
    fn fail(
        &self,
        mut conn: C,
        applier: &Applier<'f, C>,
        error: ProjectionError,
    ) -> Result<ProjectionError, ProjectionError> {
        let has_ended = matches!(error, ProjectionError::TransactionEnded { .. });
        let marked = match has_ended {
            true => None,
            false => applier.fail(&mut conn, &error).ok(),
        };
        let is_marked = match marked {
            Some(is_marked) => is_marked,
            None => {
                drop(conn);
                applier.fail(&mut self.context.connect()?, &error)?
            }
        };
        if !is_marked {
            // Whoever has the lease now applies the event, or fails at it in turn.
            return Ok(applier.lease_lost());
        }
        observe::projection::failed(applier.partition(), &error);
        Ok(error)
    }

    fn first_connection(&self, retry: &mut Pace) -> Result<C, ProjectionError> {
        self.context.connect().or_else(|error| {
            self.context.has_failed(error);
            self.reconnect(retry)
        })
    }

    /// The lease may still hold when the database is back.
    fn reconnect(&self, retry: &mut Pace) -> Result<C, ProjectionError> {
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
