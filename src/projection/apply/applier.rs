use std::slice;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use diesel::result::{Error, QueryResult};

use super::calls::Calls;
use super::in_turn::InTurn;
use super::lease::Lease;
use super::losses::Losses;
use super::parking::{ParkingLot, held_back, parked, reason};
use super::requests::Requests;
use super::step::{Parking, Work, transaction};
use super::stop::{Rollback, Stop, connection_lost, failed, not_recorded, run_again};
use super::transient::Transient;
use super::turns::Turns;
use crate::model::event::RecordedEvent;
use crate::model::parked::ParkedEvent;
use crate::model::partition::{Partition, PartitionKey};
use crate::model::position::Position;
use crate::model::timestamp;
use crate::model::witness::Witness;
use crate::observe;
use crate::projection::error::ProjectionError;
use crate::projection::handler::HandlerError;
use crate::projection::link::{IsAsked, Link, ProjectionOf, pause};
use crate::projection::page::Page;
use crate::projection::policy::OnFailure;
use crate::projection::storable::storable;
use crate::storage::error::DatabaseError;
use crate::storage::partitions::Step;
use crate::storage::transactions::Transactions;

/// How long a checkpoint may lag behind when there was nothing to apply.
const SAVE_SKIPPED_AFTER: Duration = Duration::from_millis(100);

/// Applies events to the partition of a projection that a worker has leased.
pub(in crate::projection) struct Applier<'p, L: Link> {
    projection: &'p ProjectionOf<L>,
    in_turn: InTurn<'p>,
    lease: Lease,
    parking: ParkingLot,
    losses: Losses,
    /// Whether each step is a transaction of its own. Inside one of the application nothing is tried again.
    is_alone: bool,
    /// Whether what is lost with the connection is not dealt with on another one.
    has_one_connection: bool,
    /// At most so many events in a batch: fewer after a deadlock, and then slowly more again.
    most: usize,
    applied: u64,
}

/// The lease.
impl<'p, L: Link> Applier<'p, L> {
    /// Leases the partition; `None` if another worker has it.
    pub(in crate::projection) async fn lease(
        conn: &mut L,
        projection: &'p ProjectionOf<L>,
        partition: &Partition,
        owner: &str,
        is_asked: &'p IsAsked<'p>,
        turns: &'p Turns,
        calls: &Arc<Calls>,
    ) -> Result<Option<Self>, ProjectionError> {
        let is_alone = conn.database().depth().await? == 0;
        let lease = Lease::take(conn, partition, owner, projection.lease, calls).await?;
        Ok(lease.map(|lease| Self {
            projection,
            in_turn: InTurn::new(turns, is_asked),
            lease,
            parking: ParkingLot::default(),
            losses: Losses::default(),
            is_alone,
            has_one_connection: false,
            most: projection.batch_size,
            applied: 0,
        }))
    }

    /// For a call that ends with its connection.
    pub(in crate::projection) fn on_one_connection(self) -> Self {
        Self { has_one_connection: true, ..self }
    }

    /// Before events are applied: whether the log is the one that was applied, and what of it is parked.
    pub(in crate::projection) async fn begin(&mut self, conn: &mut L) -> Result<(), Stop> {
        self.lease.check_log(conn).await?;
        self.requests().begin(conn).await
    }

    /// Whether nobody has put the partition elsewhere or had it since it was seen so.
    pub(in crate::projection) fn follows(&self, seen: &Partition) -> bool {
        self.lease.follows(seen)
    }

    /// After a while, or another connection: the partition's row may have changed.
    pub(in crate::projection) async fn look(&mut self, conn: &mut L) -> Result<(), Stop> {
        self.lease.look(conn).await
    }

    /// Serves what operators have asked for since the last time.
    pub(in crate::projection) async fn serve_requests(&mut self, conn: &mut L) -> Result<(), Stop> {
        self.end_turn();
        self.requests().serve_new(conn).await
    }

    fn requests(&mut self) -> Requests<'_, 'p, L> {
        Requests {
            projection: self.projection,
            in_turn: &mut self.in_turn,
            lease: &mut self.lease,
            parking: &mut self.parking,
            losses: &mut self.losses,
            is_alone: self.is_alone,
            has_one_connection: self.has_one_connection,
        }
    }

    /// Gives the partition back.
    pub(in crate::projection) async fn release(self, conn: &mut L) -> QueryResult<()> {
        self.lease.release(conn).await
    }

    /// Gives the partition back, and tries again while a lock is in the way: what a call leaves leased, which
    /// does not come again, stays so until the lease has run out.
    pub(in crate::projection) async fn give_back(self, conn: &mut L) -> Result<(), DatabaseError> {
        let mut transient = Transient::default();
        loop {
            let Err(error) = self.lease.release(conn).await.map_err(DatabaseError::from) else {
                return Ok(());
            };
            match transient.pause() {
                Some(longest) if self.is_alone && error.is_retryable() => {
                    pause::<L>(longest, self.in_turn.is_asked()).await;
                }
                _ => return Err(error),
            }
        }
    }

    /// Writes down why the partition does not move on.
    pub(in crate::projection) async fn note_failure(&mut self, conn: &mut L, error: &str) -> QueryResult<()> {
        self.lease.note_failure(conn, error).await
    }

    /// A worker that sleeps for longer could not renew its lease in time.
    pub(in crate::projection) fn longest_pause(&self) -> Duration {
        self.lease.longest_pause()
    }

    /// Keeps the partition while nothing is applied.
    pub(in crate::projection) async fn keep(&mut self, conn: &mut L) -> Result<(), Stop> {
        self.lease.renew_when_due(conn).await
    }

    /// Marks the partition as failed.
    pub(in crate::projection) async fn fail(
        &self,
        conn: &mut L,
        error: &ProjectionError,
    ) -> QueryResult<bool> {
        self.lease.fail(conn, error).await
    }

    /// Another worker has taken the partition over.
    pub(in crate::projection) fn lease_lost(&self) -> ProjectionError {
        self.lease.lost_error()
    }

    /// Whether the number of partitions was changed, so that this one does not exist any more.
    pub(in crate::projection) async fn is_replaced(&self, conn: &mut L) -> QueryResult<bool> {
        self.lease.is_replaced(conn).await
    }

    pub(in crate::projection) fn partition(&self) -> &PartitionKey {
        self.lease.partition()
    }

    pub(in crate::projection) fn position(&self) -> Position {
        self.lease.position()
    }

    /// Where the partition's row says that it is.
    pub(in crate::projection) fn checkpoint(&self) -> Position {
        self.lease.checkpoint()
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
impl<'p, L: Link> Applier<'p, L> {
    /// The events of this partition. Those before its position are passed over.
    pub(in crate::projection) async fn apply(&mut self, conn: &mut L, page: &Page) -> Result<(), Stop> {
        let end = self.lease.up_to_barrier(page.scanned_to());
        let events = self.lease.mine(page);
        let outcome = self.batches(conn, self.lease.left_of(&events, end)).await;
        if outcome.is_err() {
            self.end_turn();
        }
        outcome?;
        self.lease.note_scanned(end);
        self.lease.forget_failure(conn).await?;
        if self.lease.was_saved_within(SAVE_SKIPPED_AFTER) { Ok(()) } else { self.save(conn).await }
    }

    async fn batches(&mut self, conn: &mut L, events: &[RecordedEvent]) -> Result<(), Stop> {
        let mut left = events;
        while !left.is_empty() {
            self.in_turn.go_on()?;
            let (batch, later) = left.split_at(self.size_of_batch(left));
            self.batch(conn, batch, batch[batch.len() - 1].position()).await?;
            self.most = (self.most + self.most.div_ceil(8)).min(self.projection.batch_size);
            left = later;
        }
        Ok(())
    }

    /// An event at which the connection was lost is applied by itself, so that it is known whose doing it is.
    fn size_of_batch(&self, left: &[RecordedEvent]) -> usize {
        let most = self.most.clamp(1, left.len());
        let Some(lost) = self.losses.position() else { return most };
        most.min(left.partition_point(|event| event.position() < lost).max(1))
    }

    /// Other partitions may have a turn: this one waits.
    pub(in crate::projection) fn end_turn(&mut self) {
        self.in_turn.end();
    }

    /// Moves the checkpoint over what was not for this partition.
    pub(in crate::projection) async fn save(&mut self, conn: &mut L) -> Result<(), Stop> {
        if self.lease.is_saved() {
            return self.lease.renew_when_due(conn).await;
        }
        self.settle(conn, self.lease.position(), None, None).await
    }

    /// Together, if that succeeds. After a deadlock or the like in two halves, one after the other: a shorter
    /// transaction holds fewer locks for less long.
    async fn batch(&mut self, conn: &mut L, events: &[RecordedEvent], end: Position) -> Result<(), Stop> {
        let mut later = Vec::new();
        let mut next = Some((events, end));
        while let Some((events, end)) = next {
            next = match self.part(conn, events, end).await? {
                Some((rest, error)) => {
                    let (first, second) = rest.split_at(rest.len() / 2);
                    self.most = second.len();
                    self.wait_after(conn, &rest[0], &mut Transient::default(), error).await?;
                    later.push((second, end));
                    Some((first, first.last().map_or(end, RecordedEvent::position)))
                }
                None => later.pop(),
            };
        }
        Ok(())
    }

    /// What is left, and why, if that is worth another try.
    async fn part<'e>(
        &mut self,
        conn: &mut L,
        events: &'e [RecordedEvent],
        end: Position,
    ) -> Result<Option<(&'e [RecordedEvent], HandlerError)>, Stop> {
        let mut rest = events;
        while rest.len() > 1 {
            match self.attempt(conn, rest, end).await {
                Ok(()) => return Ok(None),
                Err(Rollback::Stop(stop)) => return Err(stop),
                Err(Rollback::Lost { failure, broken }) => return Err(self.lost(rest, failure, broken)),
                Err(Rollback::Handler(error)) if error.is_retryable() => return Ok(Some((rest, error))),
                Err(Rollback::Handler(error)) => rest = self.up_to_failed(conn, rest, error).await?,
            }
        }
        for event in rest {
            self.one(conn, event, end, None).await?;
        }
        Ok(None)
    }

    /// Applies the events up to the one at which the handler has failed, and returns the others. A handler of
    /// whole batches does not say which one it was.
    async fn up_to_failed<'e>(
        &mut self,
        conn: &mut L,
        events: &'e [RecordedEvent],
        error: HandlerError,
    ) -> Result<&'e [RecordedEvent], Stop> {
        let Some(failed) = error.index_in(events) else {
            self.one_by_one(conn, events).await?;
            return Ok(&[]);
        };
        self.before_failed(conn, &events[..failed]).await?;
        self.one(conn, &events[failed], events[failed].position(), Some(error)).await?;
        Ok(&events[failed + 1..])
    }

    /// They had been applied before the failure undid it.
    async fn before_failed(&mut self, conn: &mut L, events: &[RecordedEvent]) -> Result<(), Stop> {
        let Some(last) = events.last() else { return Ok(()) };
        match self.attempt(conn, events, last.position()).await {
            Ok(()) => Ok(()),
            Err(Rollback::Stop(stop)) => Err(stop),
            Err(Rollback::Lost { failure, broken }) => Err(self.lost(events, failure, broken)),
            Err(Rollback::Handler(_)) => self.one_by_one(conn, events).await,
        }
    }

    /// The connection is lost, and the handler has had it. If it is not known at which event, smaller batches
    /// find it out.
    fn lost(&mut self, events: &[RecordedEvent], failure: HandlerError, broken: Error) -> Stop {
        let index = failure.index_in(events).or((events.len() == 1).then_some(0));
        let (event, id) = (&events[index.unwrap_or(0)], &self.projection.id);
        observe::projection::transient(self.lease.partition(), event, &failure);
        if self.has_one_connection && !failure.is_retryable() {
            return failed(id, event, failure, 1).into();
        }
        let stop = connection_lost(id, event, &failure, broken);
        match index {
            Some(_) => self.losses.note(event.position(), failure),
            None => self.most = events.len() / 2,
        }
        stop
    }

    async fn one_by_one(&mut self, conn: &mut L, events: &[RecordedEvent]) -> Result<(), Stop> {
        for event in events {
            self.one(conn, event, event.position(), None).await?;
        }
        Ok(())
    }

    /// Pauses before the same is tried again, if it is.
    async fn wait_after(
        &mut self,
        conn: &mut L,
        event: &RecordedEvent,
        transient: &mut Transient,
        error: HandlerError,
    ) -> Result<(), Stop> {
        match transient.pause_after(&error) {
            Some(pause) if self.is_alone => {
                observe::projection::transient(self.lease.partition(), event, &error);
                self.wait(conn, pause).await
            }
            _ => Err(run_again(&self.projection.id, event.position(), error)),
        }
    }

    /// `failure` is how a first attempt, with other events, has ended.
    async fn one(
        &mut self,
        conn: &mut L,
        event: &RecordedEvent,
        end: Position,
        failure: Option<HandlerError>,
    ) -> Result<(), Stop> {
        let (mut attempts, lost) = self.losses.take(event.position());
        let mut failure = failure.or(lost);
        let mut transient = Transient::default();
        loop {
            let outcome = match failure.take() {
                Some(error) => Err(Rollback::Handler(error)),
                None => self.attempt(conn, slice::from_ref(event), end).await,
            };
            let error = match outcome {
                Ok(()) => return Ok(()),
                Err(Rollback::Stop(stop)) => return Err(stop),
                Err(Rollback::Lost { failure, broken }) => {
                    return Err(self.lost(slice::from_ref(event), failure, broken));
                }
                Err(Rollback::Handler(error)) => error,
            };
            if error.is_retryable() {
                self.wait_after(conn, event, &mut transient, error).await?;
                continue;
            }
            attempts += 1;
            self.losses.note_attempts(event.position(), attempts);
            match self.projection.policies.pause(error.kind(), attempts) {
                Some(pause) if self.is_alone && error.policy().is_none() => {
                    observe::projection::retried(self.lease.partition(), event, attempts, &error);
                    self.lease.note_failure(conn, &error.to_string()).await?;
                    self.wait(conn, pause).await?;
                }
                _ => return self.give_up(conn, event, end, error, attempts).await,
            }
        }
    }

    async fn wait(&mut self, conn: &mut L, duration: Duration) -> Result<(), Stop> {
        self.lease.wait(conn, self.in_turn.is_asked(), duration).await
    }

    async fn give_up(
        &mut self,
        conn: &mut L,
        event: &RecordedEvent,
        end: Position,
        error: HandlerError,
        attempts: i32,
    ) -> Result<(), Stop> {
        let kind = error.kind();
        match error.policy().unwrap_or(self.projection.policies.of(kind)) {
            OnFailure::Stop => Err(failed(&self.projection.id, event, error, attempts).into()),
            OnFailure::HandOver { within } if self.lease.failing_for() >= within => {
                Err(failed(&self.projection.id, event, error, attempts).into())
            }
            OnFailure::HandOver { .. } => {
                self.lease.note_failure(conn, &error.to_string()).await?;
                Err(self.handed_over(event, error).into())
            }
            OnFailure::Skip => self.settle(conn, end, Some(event), None).await,
            policy @ (OnFailure::Park | OnFailure::ParkAlone) => {
                let parked = parked(event, reason(kind), storable(&error.to_string()), attempts, policy);
                let outcome = self.settle(conn, end, Some(event), Some(parked)).await;
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

    /// One transaction: the handler, what has to be held back, the checkpoint.
    async fn attempt(
        &mut self,
        conn: &mut L,
        events: &[RecordedEvent],
        end: Position,
    ) -> Result<(), Rollback> {
        let turn = self.in_turn.take(conn, &mut self.lease).await.map_err(Rollback::Stop)?;
        let begin = Instant::now();
        let outcome = self.transaction(conn, events, end).await;
        self.in_turn.after(turn, begin, &outcome);
        outcome
    }

    async fn transaction(
        &mut self,
        conn: &mut L,
        events: &[RecordedEvent],
        end: Position,
    ) -> Result<(), Rollback> {
        let begin = Instant::now();
        let (events, held) = self.parking.hold_back(events);
        let step = Step { to: end, witness: last_of(&events, &held), now: timestamp::now() };
        let parking: Vec<_> = held.iter().map(|event| Parking::Park(held_back(event))).collect();
        let work = Work { events: &events, parking: &parking };
        transaction(conn, self.projection, &mut self.lease, &step, work).await?;
        self.losses.forget_up_to(end);
        self.lease.forget_failure(conn).await?;
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
    async fn settle(
        &mut self,
        conn: &mut L,
        to: Position,
        last: Option<&RecordedEvent>,
        parked: Option<ParkedEvent>,
    ) -> Result<(), Stop> {
        let _turn = self.in_turn.take(conn, &mut self.lease).await?;
        let step = Step { to, witness: last.map(Witness::from), now: timestamp::now() };
        let parking = parked.map(Parking::Park);
        let work = Work { parking: parking.as_slice(), ..Work::default() };
        let outcome = transaction(conn, self.projection, &mut self.lease, &step, work).await;
        outcome.map_err(Rollback::into_stop)?;
        self.losses.forget_up_to(to);
        self.lease.forget_failure(conn).await?;
        if let Some(Parking::Park(parked)) = parking {
            observe::projection::parked(self.lease.partition(), &parked);
            self.parking.note_parked(parked);
        }
        Ok(())
    }
}

/// The last event that is dealt with.
fn last_of(applied: &[RecordedEvent], held: &[RecordedEvent]) -> Option<Witness> {
    applied.last().into_iter().chain(held.last()).max_by_key(|event| event.position()).map(Witness::from)
}
