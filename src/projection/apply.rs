//! Applies events to one partition: handler and checkpoint in one transaction, fenced by the claim's token.

mod tend;

use std::borrow::Cow;
use std::time::{Duration, Instant};

use chrono::Utc;
use diesel::result::QueryResult;
use uuid::Uuid;

use super::claims::find;
use super::definition::Projection;
use super::error::ProjectionError;
use super::handler::{FailureKind, HandlerError};
use super::parked::{HeldBack, ParkReason, ParkedEvent};
use super::partition::{Barrier, Partition, PartitionKey, State, partition_of};
use super::policy::OnFailure;
use super::tables::{Claim, Step};
use crate::connection::EventConnection;
use crate::error::DatabaseError;
use crate::event::RecordedEvent;
use crate::observe;
use crate::position::Position;
use crate::timestamp;
use crate::transaction::is_missing_savepoint;

/// Pauses for so long, or until it is time to stop: then it returns `false`.
pub(super) type Pause<'p> = dyn Fn(Duration) -> bool + 'p;

/// Why no further events are applied under this claim.
#[derive(Debug)]
pub(super) enum Stop {
    /// It was asked for.
    Asked,
    /// The partition's row was not as it was known. It is known now: go on from there.
    Moved,
    Error(ProjectionError),
}

impl<E: Into<ProjectionError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Why an attempt to apply events was rolled back.
enum Rollback {
    /// The handler could not do it.
    Handler(HandlerError),
    Stop(Stop),
}

impl<E: Into<ProjectionError>> From<E> for Rollback {
    fn from(error: E) -> Self {
        Self::Stop(error.into().into())
    }
}

impl Rollback {
    /// Where no handler has run, it can only be the database.
    fn into_stop(self) -> Stop {
        match self {
            Self::Stop(stop) => stop,
            Self::Handler(error) => match error.into_error().downcast::<DatabaseError>() {
                Ok(error) => ProjectionError::Database(*error).into(),
                Err(error) => panic!("no handler has run, and yet it failed: {error}"),
            },
        }
    }
}

/// How long a checkpoint may lag behind when there was nothing to apply.
const SAVE_SKIPPED_AFTER: Duration = Duration::from_millis(100);

/// After an error that the database calls worth another try.
const TRANSIENT_PAUSE: Duration = Duration::from_millis(20);

/// The partition of a projection that a worker has claimed.
pub(super) struct Applier<'p, C> {
    projection: &'p Projection<C>,
    pause: &'p Pause<'p>,
    claim: Claim,
    count: i32,
    /// The last event that was applied under an earlier claim.
    last_event_id: Option<Uuid>,
    barrier: Option<Barrier>,
    held: HeldBack,
    /// Nothing up to here is left to be applied. The checkpoint follows when there is something to write, or in a while.
    scanned_to: Position,
    saved_at: Instant,
    renewed_at: Instant,
    applied: u64,
}

impl<'p, C: EventConnection> Applier<'p, C> {
    pub(super) fn new(projection: &'p Projection<C>, pause: &'p Pause<'p>, partition: Partition) -> Self {
        let (count, last_event_id, barrier) = (partition.count, partition.last_event_id, partition.barrier);
        let claim = partition.claimed(projection.lease);
        let now = Instant::now();
        Self {
            projection,
            pause,
            count,
            last_event_id,
            barrier,
            held: HeldBack::default(),
            scanned_to: claim.position,
            claim,
            saved_at: now,
            renewed_at: now,
            applied: 0,
        }
    }

    pub(super) fn position(&self) -> Position {
        self.scanned_to
    }

    pub(super) fn partition(&self) -> &PartitionKey {
        &self.claim.partition
    }

    pub(super) fn number(&self) -> i32 {
        self.claim.partition.number
    }

    /// How many events the handler was given, and has applied.
    pub(super) fn applied(&self) -> u64 {
        self.applied
    }

    /// Whether nothing more can be applied until the number of partitions has been changed.
    pub(super) fn is_at_barrier(&self) -> bool {
        self.barrier.is_some_and(|barrier| self.claim.position >= barrier.position)
    }

    /// Whether the number of partitions was changed, so that this one is not there any more. Nobody has lost it then.
    pub(super) fn is_replaced(&self, conn: &mut C) -> QueryResult<bool> {
        let row = find(conn, &self.claim.partition)?;
        Ok(row.is_none_or(|row| row.count != self.count))
    }

    /// Whether the log goes so far, and what was applied last is in it. It may go further than its readers are shown at this
    /// moment: an append that has just begun can hold them back.
    pub(super) fn check_log(&self, conn: &mut C) -> Result<(), ProjectionError> {
        let checkpoint = self.claim.position;
        let last = conn.lend().backend().last_committed_position()?;
        let is_known = checkpoint <= last
            && match self.last_event_id {
                Some(id) => {
                    let event = conn.lend().backend().read_event(id)?;
                    event.is_some_and(|event| event.position() <= checkpoint)
                }
                None => true,
            };
        if is_known {
            return Ok(());
        }
        let (projection, version) = self.names();
        Err(ProjectionError::OtherLog { projection, version, checkpoint, last })
    }

    /// Gives the partition back.
    pub(super) fn release(self, conn: &mut C) -> QueryResult<()> {
        conn.lend().backend().release(&self.claim).map(drop)
    }

    /// Marks the partition as failed.
    pub(super) fn fail(&self, conn: &mut C, error: &ProjectionError) -> QueryResult<()> {
        conn.lend().backend().fail(&self.claim, &error.to_string()).map(drop)
    }

    /// Events of the log in their order, and up to where they were looked for. Those before the position are passed over.
    pub(super) fn apply(
        &mut self,
        conn: &mut C,
        events: &[RecordedEvent],
        scanned_to: Position,
    ) -> Result<(), Stop> {
        let end = self.barrier.map_or(scanned_to, |barrier| barrier.position.min(scanned_to));
        let events = self.mine(events, end);
        for chunk in events.chunks(self.projection.batch_size) {
            if !(self.pause)(Duration::ZERO) {
                return Err(Stop::Asked);
            }
            let last = chunk.last().map_or(end, RecordedEvent::position);
            self.batch(conn, chunk, last)?;
        }
        self.scanned_to = self.scanned_to.max(end);
        if self.saved_at.elapsed() < SAVE_SKIPPED_AFTER {
            return Ok(());
        }
        self.save(conn)
    }

    /// The events of this partition after its position and up to the end.
    fn mine<'e>(&self, events: &'e [RecordedEvent], end: Position) -> Cow<'e, [RecordedEvent]> {
        let from = events.partition_point(|event| event.position() <= self.scanned_to);
        let to = events.partition_point(|event| event.position() <= end);
        let events = &events[from.min(to)..to];
        if self.count == 1 {
            return Cow::Borrowed(events);
        }
        let is_mine = |event: &&RecordedEvent| partition_of(event.stream(), self.count) == self.number();
        Cow::Owned(events.iter().filter(is_mine).cloned().collect())
    }

    /// Moves the checkpoint over what was not for this partition.
    pub(super) fn save(&mut self, conn: &mut C) -> Result<(), Stop> {
        if self.scanned_to > self.claim.position {
            return self.settle(conn, self.scanned_to, None, None);
        }
        self.renew_when_due(conn)
    }

    fn renew_when_due(&mut self, conn: &mut C) -> Result<(), Stop> {
        if self.renewed_at.elapsed() < self.claim.lease / 3 {
            return Ok(());
        }
        self.renew(conn)
    }

    fn renew(&mut self, conn: &mut C) -> Result<(), Stop> {
        if !conn.lend().backend().renew(&self.claim)? {
            return Err(self.lost(self.renewed_at));
        }
        self.renewed_at = Instant::now();
        self.look(conn)
    }

    /// Looks at the partition's row: somebody may have raised a barrier, or a commit may have gone through whose answer was
    /// lost.
    pub(super) fn look(&mut self, conn: &mut C) -> Result<(), Stop> {
        let row = find(conn, &self.claim.partition)?;
        let Some(row) = row.filter(|row| row.token == self.claim.token && row.state == State::Active) else {
            return Err(self.lost(self.renewed_at));
        };
        self.barrier = row.barrier;
        if row.position != self.claim.position {
            (self.claim.position, self.scanned_to) = (row.position, row.position);
        }
        // What was only passed over may lie beyond the barrier; the checkpoint cannot follow it there.
        if let Some(barrier) = self.barrier {
            self.scanned_to = self.scanned_to.min(barrier.position);
        }
        Ok(())
    }

    /// Together, and one by one if that fails.
    fn batch(&mut self, conn: &mut C, events: &[RecordedEvent], end: Position) -> Result<(), Stop> {
        if let [event] = events {
            return self.one(conn, event, end);
        }
        loop {
            match self.attempt(conn, events, end) {
                Ok(()) => return Ok(()),
                Err(Rollback::Stop(stop)) => return Err(stop),
                Err(Rollback::Handler(error)) if error.is_retryable() => self.wait(conn, TRANSIENT_PAUSE)?,
                Err(Rollback::Handler(_)) => break,
            }
        }
        events.iter().try_for_each(|event| self.one(conn, event, event.position()))
    }

    fn one(&mut self, conn: &mut C, event: &RecordedEvent, end: Position) -> Result<(), Stop> {
        let mut attempts = 0;
        loop {
            let error = match self.attempt(conn, std::slice::from_ref(event), end) {
                Ok(()) => return Ok(()),
                Err(Rollback::Stop(stop)) => return Err(stop),
                Err(Rollback::Handler(error)) => error,
            };
            if error.is_retryable() {
                self.wait(conn, TRANSIENT_PAUSE)?;
                continue;
            }
            attempts += 1;
            match self.projection.policies.pause(error.kind(), attempts) {
                Some(pause) => {
                    observe::projection::retried(&self.claim.partition, event, attempts, &error);
                    self.wait(conn, pause)?;
                }
                None => return self.give_up(conn, event, end, error, attempts),
            }
        }
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
        match self.projection.policies.of(kind) {
            OnFailure::Stop => Err(self.failed(event, error, attempts).into()),
            OnFailure::Skip => self.settle(conn, end, Some(event.id()), None),
            OnFailure::Park | OnFailure::ParkAlone => {
                let parked = parked(event, reason(kind), error.to_string(), attempts);
                self.settle(conn, end, Some(event.id()), Some(parked))
            }
        }
    }

    /// One transaction: the handler, what has to be held back, the checkpoint.
    fn attempt(&mut self, conn: &mut C, events: &[RecordedEvent], end: Position) -> Result<(), Rollback> {
        let begin = Instant::now();
        let (events, held) = self.hold_back(events);
        let step = Step { to: end, last_event_id: last_id(&events, &held), now: timestamp::now() };
        self.transaction(conn, &step, |applier, conn| {
            if !events.is_empty() {
                applier.lend(conn, &events)?;
            }
            for event in &held {
                applier.park(conn, &held_back(event))?;
            }
            Ok(())
        })?;
        self.applied += events.len() as u64;
        self.report(&events, begin.elapsed());
        Ok(())
    }

    fn report(&self, events: &[RecordedEvent], took: Duration) {
        let Some(last) = events.last() else { return };
        let partition = &self.claim.partition;
        observe::projection::applied(partition, events.len(), self.claim.position, took);
        observe::projection::lag(partition, (Utc::now() - last.created_at()).to_std().unwrap_or_default());
    }

    /// What the handler is given, and what waits behind a parked event.
    fn hold_back<'e>(&self, events: &'e [RecordedEvent]) -> (Cow<'e, [RecordedEvent]>, Vec<RecordedEvent>) {
        if self.held.is_empty() {
            return (Cow::Borrowed(events), Vec::new());
        }
        let (held, free) = events.iter().cloned().partition(|event| self.held.holds(event.stream()));
        (Cow::Owned(free), held)
    }

    /// Without the handler: the checkpoint moves, and an event is parked.
    fn settle(
        &mut self,
        conn: &mut C,
        to: Position,
        last_event_id: Option<Uuid>,
        parked: Option<ParkedEvent>,
    ) -> Result<(), Stop> {
        let step = Step { to, last_event_id, now: timestamp::now() };
        let outcome = self.transaction(conn, &step, |applier, conn| match &parked {
            Some(parked) => applier.park(conn, parked),
            None => Ok(()),
        });
        outcome.map_err(Rollback::into_stop)?;
        parked.iter().for_each(|parked| observe::projection::parked(&self.claim.partition, parked));
        if let Some(parked) = parked.filter(|parked| self.projection.policies.hold_back(parked.reason)) {
            self.held.hold(parked.stream);
        }
        Ok(())
    }

    fn park(&self, conn: &mut C, parked: &ParkedEvent) -> Result<(), Rollback> {
        Ok(conn.lend().backend().park(&self.projection.key, parked)?)
    }

    /// Runs `work` and moves the checkpoint, or does neither.
    fn transaction(
        &mut self,
        conn: &mut C,
        step: &Step,
        work: impl FnOnce(&mut Self, &mut C) -> Result<(), Rollback>,
    ) -> Result<(), Rollback> {
        let begin = Instant::now();
        let depth = conn.lend().backend().depth()?;
        conn.lend().backend().begin()?;
        let outcome = work(self, conn).and_then(|()| self.advance_and_commit(conn, step, begin));
        match outcome {
            Ok(()) => self.has_advanced(step.to),
            Err(_) => conn.lend().backend().roll_back_to(depth),
        }
        // Where diesel cannot tell what has become of the transaction, the connection is of no further use.
        conn.lend().backend().depth()?;
        outcome
    }

    fn advance_and_commit(&mut self, conn: &mut C, step: &Step, begin: Instant) -> Result<(), Rollback> {
        if !conn.lend().backend().advance(&self.claim, step)? {
            self.look(conn).map_err(|stop| Rollback::Stop(self.since(stop, begin)))?;
            return Err(Rollback::Stop(Stop::Moved));
        }
        // What the application's constraints say at this point is the handler's doing.
        conn.lend().backend().commit().map_err(|error| match is_missing_savepoint(&error) {
            true => self.transaction_ended(),
            false => Rollback::Handler(error.into()),
        })
    }

    fn has_advanced(&mut self, to: Position) {
        self.claim.position = to;
        self.scanned_to = self.scanned_to.max(to);
        (self.saved_at, self.renewed_at) = (Instant::now(), Instant::now());
    }

    /// A handler that ends the transaction, by whatever means, is found out.
    fn lend(&self, conn: &mut C, events: &[RecordedEvent]) -> Result<(), Rollback> {
        let _batch = observe::projection::batch(&self.claim.partition, events);
        conn.lend().backend().begin_loan()?;
        let depth = conn.lend().backend().depth()?;
        let outcome = self.projection.handler.handle(conn, events);
        if conn.lend().backend().depth()? != depth {
            return Err(self.transaction_ended());
        }
        outcome.map_err(Rollback::Handler)?;
        let is_open = conn.lend().backend().end_loan().map_err(|error| Rollback::Handler(error.into()))?;
        if is_open { Ok(()) } else { Err(self.transaction_ended()) }
    }

    fn transaction_ended(&self) -> Rollback {
        let (projection, version) = self.names();
        ProjectionError::TransactionEnded { projection, version }.into()
    }

    /// Keeps the lease meanwhile.
    fn wait(&mut self, conn: &mut C, pause: Duration) -> Result<(), Stop> {
        let mut left = pause;
        while !left.is_zero() {
            let part = left.min(self.claim.lease / 3);
            if !(self.pause)(part) {
                return Err(Stop::Asked);
            }
            left -= part;
            self.renew_when_due(conn)?;
        }
        Ok(())
    }

    fn names(&self) -> (String, i32) {
        (self.projection.key.name.clone(), self.projection.key.version)
    }

    fn lost(&self, since: Instant) -> Stop {
        let (projection, version) = self.names();
        let (partition, lease) = (self.number(), self.claim.lease);
        ProjectionError::LeaseLost { projection, version, partition, took: since.elapsed(), lease }.into()
    }

    /// A claim that is found to be lost was lost while the batch was applied.
    fn since(&self, stop: Stop, begin: Instant) -> Stop {
        match stop {
            Stop::Error(ProjectionError::LeaseLost { .. }) => self.lost(begin),
            other => other,
        }
    }

    fn failed(&self, event: &RecordedEvent, error: HandlerError, attempts: i32) -> ProjectionError {
        let (projection, version) = self.names();
        ProjectionError::Failed {
            projection,
            version,
            position: event.position(),
            stream: event.stream().clone(),
            kind: error.kind(),
            attempts,
            source: error.into_error(),
        }
    }
}

/// The last event that is dealt with.
fn last_id(applied: &[RecordedEvent], held: &[RecordedEvent]) -> Option<Uuid> {
    applied.last().into_iter().chain(held.last()).max_by_key(|event| event.position()).map(RecordedEvent::id)
}

fn reason(kind: FailureKind) -> ParkReason {
    match kind {
        FailureKind::Failed => ParkReason::Failed,
        FailureKind::Undecodable => ParkReason::Undecodable,
        FailureKind::UnknownEventType => ParkReason::UnknownEventType,
    }
}

fn parked(event: &RecordedEvent, reason: ParkReason, error: String, attempts: i32) -> ParkedEvent {
    ParkedEvent {
        position: event.position(),
        event_id: event.id(),
        stream: event.stream().clone(),
        reason,
        error,
        attempts,
        parked_at: timestamp::now(),
        requested: None,
    }
}

fn held_back(event: &RecordedEvent) -> ParkedEvent {
    parked(event, ParkReason::Held, "an earlier event of the aggregate is parked".to_owned(), 0)
}
