use std::slice;
use std::time::{Duration, Instant};

use chrono::Utc;
use diesel::result::QueryResult;

use super::lease::Lease;
use super::parking::{ParkingLot, held_back, parked, reason};
use super::requests::Requests;
use super::step::{lend, transaction};
use super::stop::{Pause, Rollback, Stop, not_recorded, run_again};
use super::transient::Transient;
use super::turns::{Turn, Turns};
use crate::model::event::RecordedEvent;
use crate::model::parked::ParkedEvent;
use crate::model::partition::{Partition, PartitionKey};
use crate::model::position::Position;
use crate::model::timestamp;
use crate::model::witness::Witness;
use crate::observe;
use crate::projection::definition::Projection;
use crate::projection::error::ProjectionError;
use crate::projection::handler::HandlerError;
use crate::projection::policy::OnFailure;
use crate::projection::storable::storable;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::partitions::Step;

/// How long a partition waits for its turn before it looks whether it is to stop.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// How long a checkpoint may lag behind when there was nothing to apply.
const SAVE_SKIPPED_AFTER: Duration = Duration::from_millis(100);

/// Applies events to the partition of a projection that a worker has leased.
pub(in crate::projection) struct Applier<'p, C> {
    projection: &'p Projection<C>,
    pause: &'p Pause<'p>,
    turns: &'p Turns,
    lease: Lease,
    parking: ParkingLot,
    /// Whether each step is a transaction of its own. Inside one of the application nothing is tried again.
    is_alone: bool,
    /// At most so many events in a batch: fewer after a deadlock, and then slowly more again.
    most: usize,
    applied: u64,
}

/// The lease.
impl<'p, C: EventConnection> Applier<'p, C> {
    /// Leases the partition; `None` if another worker has it.
    pub(in crate::projection) fn lease(
        conn: &mut C,
        projection: &'p Projection<C>,
        partition: &Partition,
        owner: &str,
        pause: &'p Pause<'p>,
        turns: &'p Turns,
    ) -> Result<Option<Self>, ProjectionError> {
        let is_alone = conn.database().depth()? == 0;
        let lease = Lease::take(conn, partition, owner, projection.lease)?;
        Ok(lease.map(|lease| Self {
            projection,
            pause,
            turns,
            lease,
            parking: ParkingLot::default(),
            is_alone,
            most: projection.batch_size,
            applied: 0,
        }))
    }

    /// Before events are applied: whether the log is the one that was applied, and what of it is parked.
    pub(in crate::projection) fn begin(&mut self, conn: &mut C) -> Result<(), Stop> {
        self.lease.check_log(conn)?;
        self.requests().begin(conn)
    }

    /// After a while, or another connection: the partition's row may have changed.
    pub(in crate::projection) fn look(&mut self, conn: &mut C) -> Result<(), Stop> {
        self.lease.look(conn)
    }

    /// Serves what operators have asked for since the last time.
    pub(in crate::projection) fn serve_requests(&mut self, conn: &mut C) -> Result<(), Stop> {
        self.requests().serve_new(conn)
    }

    fn requests(&mut self) -> Requests<'_, C> {
        Requests {
            projection: self.projection,
            pause: self.pause,
            lease: &mut self.lease,
            parking: &mut self.parking,
            is_alone: self.is_alone,
        }
    }

    /// Gives the partition back.
    pub(in crate::projection) fn release(self, conn: &mut C) -> QueryResult<()> {
        self.lease.release(conn)
    }

    /// Writes down why the partition does not move on.
    pub(in crate::projection) fn note_failure(&mut self, conn: &mut C, error: &str) -> QueryResult<()> {
        self.lease.note_failure(conn, error)
    }

    /// A worker that sleeps for longer could not renew its lease in time.
    pub(in crate::projection) fn longest_pause(&self) -> Duration {
        self.projection.lease / 3
    }

    /// Keeps the partition while nothing is applied.
    pub(in crate::projection) fn keep(&mut self, conn: &mut C) -> Result<(), Stop> {
        self.lease.renew_when_due(conn)
    }

    /// Marks the partition as failed.
    pub(in crate::projection) fn fail(&self, conn: &mut C, error: &ProjectionError) -> QueryResult<bool> {
        self.lease.fail(conn, error)
    }

    /// Another worker has taken the partition over.
    pub(in crate::projection) fn lease_lost(&self) -> ProjectionError {
        self.lease.is_lost()
    }

    /// Whether the number of partitions was changed, so that this one does not exist any more.
    pub(in crate::projection) fn is_replaced(&self, conn: &mut C) -> QueryResult<bool> {
        self.lease.is_replaced(conn)
    }

    pub(in crate::projection) fn partition(&self) -> &PartitionKey {
        self.lease.partition()
    }

    pub(in crate::projection) fn position(&self) -> Position {
        self.lease.position()
    }

    /// How many events the handler was given, and has applied.
    pub(in crate::projection) fn applied(&self) -> u64 {
        self.applied
    }

    /// Whether nothing more can be applied until the number of partitions has been changed.
    pub(in crate::projection) fn is_at_barrier(&self) -> bool {
        self.lease.is_at_barrier()
    }
}

/// The events.
impl<'p, C: EventConnection> Applier<'p, C> {
    /// Events of the log in their order, and up to where the log was scanned for them. Those before the
    /// position are passed over.
    pub(in crate::projection) fn apply(
        &mut self,
        conn: &mut C,
        events: &[RecordedEvent],
        scanned_to: Position,
    ) -> Result<(), Stop> {
        let end = self.lease.up_to_barrier(scanned_to);
        let events = self.lease.mine(events, end);
        let mut rest = &*events;
        while let Some(next) = rest.get(self.most.min(rest.len()).saturating_sub(1)) {
            if !(self.pause)(Duration::ZERO) {
                return Err(Stop::Asked);
            }
            let (chunk, others) = rest.split_at(self.most.min(rest.len()));
            self.batch(conn, chunk, next.position())?;
            self.most = (self.most + self.most.div_ceil(8)).min(self.projection.batch_size);
            rest = others;
        }
        self.lease.has_scanned(end);
        self.lease.forget_failure(conn)?;
        if self.lease.was_saved_within(SAVE_SKIPPED_AFTER) { Ok(()) } else { self.save(conn) }
    }

    /// Moves the checkpoint over what was not for this partition.
    pub(in crate::projection) fn save(&mut self, conn: &mut C) -> Result<(), Stop> {
        if self.lease.is_saved() {
            return self.lease.renew_when_due(conn);
        }
        self.settle(conn, self.lease.position(), None, None)
    }

    /// Together, if that succeeds.
    fn batch(&mut self, conn: &mut C, events: &[RecordedEvent], end: Position) -> Result<(), Stop> {
        let mut rest = events;
        while rest.len() > 1 {
            match self.attempt(conn, rest, end) {
                Ok(()) => return Ok(()),
                Err(Rollback::Stop(stop)) => return Err(stop),
                Err(Rollback::Handler(error)) if error.is_retryable() => {
                    return self.in_halves(conn, rest, end, error);
                }
                Err(Rollback::Handler(error)) => rest = self.up_to_failed(conn, rest, error)?,
            }
        }
        rest.iter().try_for_each(|event| self.one(conn, event, end, None))
    }

    /// Applies the events up to the one at which the handler has failed, and returns the others. A handler of
    /// whole batches does not say which one it was.
    fn up_to_failed<'e>(
        &mut self,
        conn: &mut C,
        events: &'e [RecordedEvent],
        error: HandlerError,
    ) -> Result<&'e [RecordedEvent], Stop> {
        let Some(failed) = error.index_in(events) else {
            self.one_by_one(conn, events)?;
            return Ok(&[]);
        };
        self.before_failed(conn, &events[..failed])?;
        self.one(conn, &events[failed], events[failed].position(), Some(error))?;
        Ok(&events[failed + 1..])
    }

    /// They had been applied before the failure undid it.
    fn before_failed(&mut self, conn: &mut C, events: &[RecordedEvent]) -> Result<(), Stop> {
        let Some(last) = events.last() else { return Ok(()) };
        match self.attempt(conn, events, last.position()) {
            Ok(()) => Ok(()),
            Err(Rollback::Stop(stop)) => Err(stop),
            Err(Rollback::Handler(_)) => self.one_by_one(conn, events),
        }
    }

    fn one_by_one(&mut self, conn: &mut C, events: &[RecordedEvent]) -> Result<(), Stop> {
        events.iter().try_for_each(|event| self.one(conn, event, event.position(), None))
    }

    /// After a deadlock or the like: a shorter transaction holds fewer locks for less long.
    fn in_halves(
        &mut self,
        conn: &mut C,
        events: &[RecordedEvent],
        end: Position,
        error: HandlerError,
    ) -> Result<(), Stop> {
        let (first, second) = events.split_at(events.len() / 2);
        self.most = second.len();
        self.wait_after(conn, &events[0], &mut Transient::default(), error)?;
        let middle = first.last().map_or(end, RecordedEvent::position);
        self.batch(conn, first, middle)?;
        self.batch(conn, second, end)
    }

    /// Pauses before the same is tried again, if it is.
    fn wait_after(
        &mut self,
        conn: &mut C,
        event: &RecordedEvent,
        transient: &mut Transient,
        error: HandlerError,
    ) -> Result<(), Stop> {
        match transient.pause(&error) {
            Some(pause) if self.is_alone => {
                observe::projection::transient(self.lease.partition(), event, &error);
                self.wait(conn, pause)
            }
            _ => Err(run_again(&self.projection.id, event.position(), error)),
        }
    }

    /// `failure` is how a first attempt, with other events, has ended.
    fn one(
        &mut self,
        conn: &mut C,
        event: &RecordedEvent,
        end: Position,
        mut failure: Option<HandlerError>,
    ) -> Result<(), Stop> {
        let mut attempts = 0;
        let mut transient = Transient::default();
        loop {
            let outcome = match failure.take() {
                Some(error) => Err(Rollback::Handler(error)),
                None => self.attempt(conn, slice::from_ref(event), end),
            };
            let error = match outcome {
                Ok(()) => return Ok(()),
                Err(Rollback::Stop(stop)) => return Err(stop),
                Err(Rollback::Handler(error)) => error,
            };
            if error.is_retryable() {
                self.wait_after(conn, event, &mut transient, error)?;
                continue;
            }
            attempts += 1;
            match self.projection.policies.pause(error.kind(), attempts) {
                Some(pause) if self.is_alone && error.policy().is_none() => {
                    observe::projection::retried(self.lease.partition(), event, attempts, &error);
                    self.lease.note_failure(conn, &error.to_string())?;
                    self.wait(conn, pause)?;
                }
                _ => return self.give_up(conn, event, end, error, attempts),
            }
        }
    }

    fn wait(&mut self, conn: &mut C, duration: Duration) -> Result<(), Stop> {
        self.lease.wait(conn, self.pause, duration)
    }

    fn give_up(
        &mut self,
        conn: &mut C,
        event: &RecordedEvent,
        end: Position,
        error: HandlerError,
        attempts: i32,
    ) -> Result<(), Stop> {
        let kind = error.kind();
        match error.policy().unwrap_or(self.projection.policies.of(kind)) {
            OnFailure::Stop => Err(self.failed(event, error, attempts).into()),
            OnFailure::HandOver { within } if self.lease.failing_for() >= within => {
                Err(self.failed(event, error, attempts).into())
            }
            OnFailure::HandOver { .. } => {
                self.lease.note_failure(conn, &error.to_string())?;
                Err(self.handed_over(event, error).into())
            }
            OnFailure::Skip => self.settle(conn, end, Some(event), None),
            policy @ (OnFailure::Park | OnFailure::ParkAlone) => {
                let parked = parked(event, reason(kind), storable(&error.to_string()), attempts, policy);
                let outcome = self.settle(conn, end, Some(event), Some(parked));
                outcome.map_err(|stop| not_recorded(stop, self.lease.partition(), &error))
            }
        }
    }

    fn handed_over(&self, event: &RecordedEvent, error: HandlerError) -> ProjectionError {
        ProjectionError::HandedOver {
            projection: self.projection.id.clone(),
            partition: self.lease.partition().number,
            position: event.position(),
            source: error.into_error(),
        }
    }

    fn failed(&self, event: &RecordedEvent, error: HandlerError, attempts: i32) -> ProjectionError {
        ProjectionError::Failed {
            projection: self.projection.id.clone(),
            position: event.position(),
            stream: event.stream().clone(),
            kind: error.kind(),
            attempts,
            source: error.into_error(),
        }
    }

    /// Waits for it, if there are turns, and keeps the lease meanwhile.
    fn turn(&mut self, conn: &mut C) -> Result<Turn<'p>, Stop> {
        let turns = self.turns;
        loop {
            if let Some(turn) = turns.take(LONGEST_WAIT.min(self.longest_pause())) {
                return Ok(turn);
            }
            if !(self.pause)(Duration::ZERO) {
                return Err(Stop::Asked);
            }
            self.lease.renew_when_due(conn)?;
        }
    }

    /// One transaction: the handler, what has to be held back, the checkpoint.
    fn attempt(&mut self, conn: &mut C, events: &[RecordedEvent], end: Position) -> Result<(), Rollback> {
        let _turn = self.turn(conn).map_err(Rollback::Stop)?;
        let begin = Instant::now();
        let outcome = self.transaction(conn, events, end);
        if matches!(&outcome, Err(Rollback::Handler(error)) if error.is_collision()) {
            self.turns.has_collided(begin.elapsed());
        }
        outcome
    }

    fn transaction(&mut self, conn: &mut C, events: &[RecordedEvent], end: Position) -> Result<(), Rollback> {
        let begin = Instant::now();
        let projection = self.projection;
        let (events, held) = self.parking.hold_back(events);
        let step = Step { to: end, witness: last_of(&events, &held), now: timestamp::now() };
        transaction(conn, &mut self.lease, &step, |conn, lease| {
            if !events.is_empty() {
                lend(conn, lease, projection, &events)?;
            }
            held.iter().try_for_each(|event| Ok(conn.database().park(&projection.id, &held_back(event))?))
        })?;
        self.lease.forget_failure(conn)?;
        self.applied += events.len() as u64;
        self.report(&events, begin.elapsed());
        Ok(())
    }

    fn report(&self, events: &[RecordedEvent], took: Duration) {
        let Some(last) = events.last() else { return };
        let partition = self.lease.partition();
        observe::projection::applied(partition, events.len(), self.lease.checkpoint(), took);
        observe::projection::lag(partition, (Utc::now() - last.created_at()).to_std().unwrap_or_default());
    }

    /// Without the handler: the checkpoint moves, and an event is parked.
    fn settle(
        &mut self,
        conn: &mut C,
        to: Position,
        last: Option<&RecordedEvent>,
        parked: Option<ParkedEvent>,
    ) -> Result<(), Stop> {
        let id = &self.projection.id;
        let step = Step { to, witness: last.map(Witness::from), now: timestamp::now() };
        let outcome = transaction(conn, &mut self.lease, &step, |conn, _| {
            parked.iter().try_for_each(|parked| Ok(conn.database().park(id, parked)?))
        });
        outcome.map_err(Rollback::into_stop)?;
        self.lease.forget_failure(conn)?;
        if let Some(parked) = parked {
            observe::projection::parked(self.lease.partition(), &parked);
            self.parking.has_parked(parked);
        }
        Ok(())
    }
}

/// The last event that is dealt with.
fn last_of(applied: &[RecordedEvent], held: &[RecordedEvent]) -> Option<Witness> {
    applied.last().into_iter().chain(held.last()).max_by_key(|event| event.position()).map(Witness::from)
}
