//! The thread that applies one partition.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::apply::{Applier, Pause, Stop};
use super::claims::claim;
use super::definition::Projection;
use super::error::ProjectionError;
use super::progress::Progress;
use super::runner::Shop;
use super::scout::Scout;
use crate::model::partition::Partition;
use crate::observe;
use crate::storage::connection::EventConnection;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::store::wake;

/// How often a worker looks whether somebody asks for something to be done with parked events.
const TEND_EVERY: Duration = Duration::from_secs(1);

/// The first pause of a worker that has found nothing new, or whose database does not answer.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// The longest pause between attempts to reach the database.
const LONGEST_RECONNECT_PAUSE: Duration = Duration::from_secs(10);

/// Applies a partition until it is asked to stop, has failed, or somebody else has it. Returns whether all went well: then
/// something else may follow at once. What has not gone well is tried again when the manager looks the next time.
pub(super) fn work<C: EventConnection + 'static>(
    shop: &Arc<Shop<C>>,
    projection: &Projection<C>,
    partition: &Partition,
    scout: &Scout,
    is_asked_to_stop: &AtomicBool,
) -> bool {
    let pause = |longest| wake::pause(longest, || is_asked_to_stop.load(Ordering::Relaxed));
    let mut worker = Worker { shop, projection, scout, is_asked_to_stop, pause: &pause };
    match worker.work(partition) {
        Ok(Claimed::Yes) => true,
        Ok(Claimed::No) => false,
        Err(error) => {
            shop.has_failed(error);
            false
        }
    }
}

/// Whether the partition was free.
enum Claimed {
    Yes,
    No,
}

struct Worker<'w, C> {
    shop: &'w Arc<Shop<C>>,
    projection: &'w Projection<C>,
    scout: &'w Scout,
    is_asked_to_stop: &'w AtomicBool,
    pause: &'w Pause<'w>,
}

impl<'w, C: EventConnection + 'static> Worker<'w, C> {
    fn work(&mut self, partition: &Partition) -> Result<Claimed, ProjectionError> {
        let mut retry = Pace::new(LONGEST_RECONNECT_PAUSE);
        let mut conn = self.first_connection(&mut retry)?;
        let claimed = claim(&mut conn, self.projection, partition, &self.shop.worker, self.pause)?;
        let Some(mut applier) = claimed else { return Ok(Claimed::No) };
        loop {
            let position = applier.position();
            let outcome = self.follow(&mut conn, &mut applier);
            if applier.position() > position {
                retry.reset();
            }
            match outcome {
                Stop::Asked => return Ok(applier.release(&mut conn).map(|()| Claimed::Yes)?),
                Stop::Moved => {}
                Stop::Error(ProjectionError::Database(error)) => {
                    let is_lost = error.kind() == DatabaseErrorKind::ConnectionLost || !error.is_retryable();
                    self.shop.has_failed(error.into());
                    if is_lost {
                        drop(conn);
                        conn = self.reconnect(&mut retry)?;
                    } else {
                        (self.pause)(retry.next());
                    }
                }
                Stop::Error(error @ ProjectionError::LeaseLost { .. }) => {
                    return if applier.is_replaced(&mut conn)? { Ok(Claimed::Yes) } else { Err(error) };
                }
                Stop::Error(error) => return Err(self.fail(conn, &applier, error)?),
            }
        }
    }

    /// The handler may have left the connection unusable, or in a transaction that diesel does not know of.
    fn fail(
        &self,
        mut conn: C,
        applier: &Applier<'w, C>,
        error: ProjectionError,
    ) -> Result<ProjectionError, ProjectionError> {
        observe::projection::failed(applier.partition(), &error);
        let has_ended = matches!(error, ProjectionError::TransactionEnded { .. });
        if has_ended || applier.fail(&mut conn, &error).is_err() {
            drop(conn);
            applier.fail(&mut self.connect()?, &error)?;
        }
        Ok(error)
    }

    fn connect(&self) -> Result<C, ProjectionError> {
        (self.shop.runner.connect)().map_err(ProjectionError::Connect)
    }

    /// If none can be had, the manager would hire somebody else at once, who would have none either.
    fn first_connection(&self, retry: &mut Pace) -> Result<C, ProjectionError> {
        self.connect().or_else(|error| {
            self.shop.has_failed(error);
            self.reconnect(retry)
        })
    }

    /// The claim may still hold when the database is back.
    fn reconnect(&self, retry: &mut Pace) -> Result<C, ProjectionError> {
        loop {
            if !(self.pause)(retry.next()) {
                return self.connect();
            }
            match self.connect() {
                Ok(conn) => return Ok(conn),
                Err(error) => self.shop.has_failed(error),
            }
        }
    }

    /// Applies what there is, and waits for more.
    fn follow(&self, conn: &mut C, applier: &mut Applier<'w, C>) -> Stop {
        // Whoever sleeps cannot keep a lease.
        let longest_pause = self.shop.runner.longest_pause.min(self.projection.lease / 3);
        let mut pace = Pace::new(longest_pause);
        let mut tended = Instant::now();
        if let Err(stop) = self.begin(conn, applier) {
            return stop;
        }
        loop {
            if self.is_asked_to_stop.load(Ordering::Relaxed) || applier.is_at_barrier() {
                return applier.save(conn).err().unwrap_or(Stop::Asked);
            }
            if tended.elapsed() >= TEND_EVERY {
                if let Err(stop) = applier.tend_requests(conn) {
                    return stop;
                }
                tended = Instant::now();
            }
            let seen = wake::seen();
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

    fn begin(&self, conn: &mut C, applier: &mut Applier<'w, C>) -> Result<(), Stop> {
        applier.look(conn)?;
        applier.check_log(conn)?;
        applier.tend_parked(conn)
    }

    /// Whether there was anything new.
    fn apply_page(&self, conn: &mut C, applier: &mut Applier<'w, C>) -> Result<bool, Stop> {
        let (begin, position, applied) = (Instant::now(), applier.position(), applier.applied());
        let page = self.scout.page_after(self.shop, conn, position)?;
        applier.apply(conn, page.slice().events(), page.slice().scanned_to())?;
        if applier.position() == position {
            return Ok(false);
        }
        self.shop.has_progressed(&Progress {
            projection: self.projection.id.clone(),
            partition: applier.number(),
            position: applier.position(),
            applied: applier.applied() - applied,
            took: begin.elapsed(),
        });
        Ok(true)
    }
}

/// Pauses that get longer while there is nothing to do.
struct Pace {
    next: Duration,
    longest: Duration,
}

impl Pace {
    fn new(longest: Duration) -> Self {
        Self { next: FIRST_PAUSE, longest }
    }

    fn reset(&mut self) {
        self.next = FIRST_PAUSE;
    }

    fn next(&mut self) -> Duration {
        let pause = self.next.min(self.longest);
        self.next = self.next.saturating_mul(2).min(self.longest.max(FIRST_PAUSE));
        pause
    }

    /// A hint may come before the commit that it is about: so the pauses are short again after it, and the longer the
    /// commit takes, the longer they get.
    fn wait(&mut self, seen: u64) {
        let pause = self.next();
        if wake::wait(seen, pause) {
            self.reset();
        }
    }
}
