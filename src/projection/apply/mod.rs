//! Applies events to one partition: handler and checkpoint in one transaction, fenced by the claim's token.

mod lease;
mod step;
mod tend;

use std::borrow::Cow;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::definition::Projection;
use super::error::ProjectionError;
use super::handler::{FailureKind, HandlerError};
use super::policy::OnFailure;
use crate::model::event::RecordedEvent;
use crate::model::parked::{HeldBack, ParkReason, ParkedEvent};
use crate::model::partition::Claim;
use crate::model::partition::{Barrier, Partition, PartitionKey, partition_of};
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::timestamp;
use crate::observe;
use crate::storage::connection::EventConnection;
use crate::storage::error::DatabaseError;

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

    fn projection_id(&self) -> ProjectionId {
        self.projection.id.clone()
    }

    fn failed(&self, event: &RecordedEvent, error: HandlerError, attempts: i32) -> ProjectionError {
        ProjectionError::Failed {
            projection: self.projection_id(),
            position: event.position(),
            stream: event.stream().clone(),
            kind: error.kind(),
            attempts,
            source: error.into_error(),
        }
    }
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
