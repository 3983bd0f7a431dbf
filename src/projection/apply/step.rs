//! One step of a partition: a transaction for the handler, what is parked, and the checkpoint.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use chrono::Utc;
use uuid::Uuid;

use super::{Applier, Rollback, Stop, parked};
use crate::model::event::RecordedEvent;
use crate::model::parked::{ParkReason, ParkedEvent};
use crate::model::position::Position;
use crate::model::timestamp;
use crate::observe;
use crate::projection::error::ProjectionError;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::tables::Step;
use crate::storage::transaction::is_missing_savepoint;

impl<C: EventConnection> Applier<'_, C> {
    /// One transaction: the handler, what has to be held back, the checkpoint.
    pub(super) fn attempt(
        &mut self,
        conn: &mut C,
        events: &[RecordedEvent],
        end: Position,
    ) -> Result<(), Rollback> {
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
    pub(super) fn settle(
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

    pub(super) fn park(&self, conn: &mut C, parked: &ParkedEvent) -> Result<(), Rollback> {
        Ok(conn.database().park(&self.projection.id, parked)?)
    }

    /// Runs `work` and moves the checkpoint, or does neither.
    pub(super) fn transaction(
        &mut self,
        conn: &mut C,
        step: &Step,
        work: impl FnOnce(&mut Self, &mut C) -> Result<(), Rollback>,
    ) -> Result<(), Rollback> {
        let begin = Instant::now();
        let depth = conn.database().depth()?;
        conn.database().begin()?;
        let outcome = work(self, conn).and_then(|()| self.advance_and_commit(conn, step, begin));
        match outcome {
            Ok(()) => self.has_advanced(step.to),
            Err(_) => conn.database().roll_back_to(depth),
        }
        // Where diesel cannot tell what has become of the transaction, the connection is of no further use.
        conn.database().depth()?;
        outcome
    }

    fn advance_and_commit(&mut self, conn: &mut C, step: &Step, begin: Instant) -> Result<(), Rollback> {
        if !conn.database().advance(&self.claim, step)? {
            self.look(conn).map_err(|stop| Rollback::Stop(self.since(stop, begin)))?;
            return Err(Rollback::Stop(Stop::Moved));
        }
        // What the application's constraints say at this point is the handler's doing.
        conn.database().commit().map_err(|error| match is_missing_savepoint(&error) {
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
    pub(super) fn lend(&self, conn: &mut C, events: &[RecordedEvent]) -> Result<(), Rollback> {
        let _batch = observe::projection::batch(&self.claim.partition, events);
        conn.database().begin_loan()?;
        let depth = conn.database().depth()?;
        let outcome = self.projection.handler.handle(conn, events);
        if conn.database().depth()? != depth {
            return Err(self.transaction_ended());
        }
        outcome.map_err(Rollback::Handler)?;
        let is_open = conn.database().end_loan().map_err(|error| Rollback::Handler(error.into()))?;
        if is_open { Ok(()) } else { Err(self.transaction_ended()) }
    }

    fn transaction_ended(&self) -> Rollback {
        ProjectionError::TransactionEnded { projection: self.projection_id() }.into()
    }
}

/// The last event that is dealt with.
fn last_id(applied: &[RecordedEvent], held: &[RecordedEvent]) -> Option<Uuid> {
    applied.last().into_iter().chain(held.last()).max_by_key(|event| event.position()).map(RecordedEvent::id)
}

fn held_back(event: &RecordedEvent) -> ParkedEvent {
    parked(event, ParkReason::Held, "an earlier event of the aggregate is parked".to_owned(), 0)
}
