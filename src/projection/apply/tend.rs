//! Does what was asked for with parked events. Only the owner of a partition does, so the order of an aggregate's events is in
//! one hand.

use std::collections::BTreeMap;

use super::{Applier, Rollback, Stop, TRANSIENT_PAUSE, reason};
use crate::model::event::RecordedEvent;
use crate::model::parked::{HeldBack, ParkReason, ParkedEvent, Request};
use crate::model::partition::partition_of;
use crate::model::stream_id::StreamId;
use crate::model::timestamp;
use crate::projection::handler::HandlerError;
use crate::projection::policy::OnFailure;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::tables::Step;

impl<C: EventConnection> Applier<'_, C> {
    /// Deals with what was asked for since the last time.
    pub(in crate::projection) fn tend_requests(&mut self, conn: &mut C) -> Result<(), Stop> {
        if conn.database().has_requests(&self.projection.id)? {
            self.tend_parked(conn)?;
        }
        Ok(())
    }

    /// Looks which aggregates are held back, and deals with what was asked for, or left behind by another worker.
    pub(in crate::projection) fn tend_parked(&mut self, conn: &mut C) -> Result<(), Stop> {
        let streams = self.parked_streams(conn)?;
        let holds_back = |parked: &&ParkedEvent| self.projection.policies.hold_back(parked.reason);
        self.held = HeldBack::behind(streams.values().flatten().filter(holds_back));
        streams.into_iter().try_for_each(|(stream, parked)| self.tend_stream(conn, &stream, parked))
    }

    /// Those of this partition, in the order of their positions.
    fn parked_streams(&self, conn: &mut C) -> Result<BTreeMap<StreamId, Vec<ParkedEvent>>, Stop> {
        let mut streams: BTreeMap<StreamId, Vec<ParkedEvent>> = BTreeMap::new();
        for parked in conn.database().parked(&self.projection.id)? {
            if partition_of(&parked.stream, self.count) == self.number() {
                streams.entry(parked.stream.clone()).or_default().push(parked);
            }
        }
        Ok(streams)
    }

    /// What stands behind an event that stays parked stays, too, unless the policy is not to hold back.
    fn tend_stream(&mut self, conn: &mut C, stream: &StreamId, parked: Vec<ParkedEvent>) -> Result<(), Stop> {
        let mut is_blocked = false;
        for parked in parked {
            let is_free = parked.reason == ParkReason::Held || parked.requested == Some(Request::Retry);
            let is_gone = match parked.requested {
                Some(Request::Discard) => self.unpark(conn, &parked, None)?,
                _ if is_free && !is_blocked => self.retry(conn, &parked)?,
                _ => false,
            };
            is_blocked |= !is_gone && self.projection.policies.hold_back(parked.reason);
        }
        if !is_blocked {
            self.held.let_go(stream);
        }
        Ok(())
    }

    /// Whether it is applied now.
    fn retry(&mut self, conn: &mut C, parked: &ParkedEvent) -> Result<bool, Stop> {
        let event = conn.database().read_event(parked.event_id)?;
        self.unpark(conn, parked, event.as_ref())
    }

    /// Applies the event, if there is one, and forgets that it was parked; or records that it has failed once more.
    fn unpark(
        &mut self,
        conn: &mut C,
        parked: &ParkedEvent,
        event: Option<&RecordedEvent>,
    ) -> Result<bool, Stop> {
        loop {
            let outcome = self.in_place(conn, |applier, conn| {
                if let Some(event) = event {
                    applier.lend(conn, std::slice::from_ref(event))?;
                }
                conn.database().unpark(&applier.projection.id, parked.position)?;
                Ok(())
            });
            match outcome {
                Ok(()) => return Ok(true),
                Err(Rollback::Stop(stop)) => return Err(stop),
                Err(Rollback::Handler(error)) if error.is_retryable() => self.wait(conn, TRANSIENT_PAUSE)?,
                Err(Rollback::Handler(error)) => return self.refuse(conn, parked, &error),
            }
        }
    }

    fn refuse(&mut self, conn: &mut C, parked: &ParkedEvent, error: &HandlerError) -> Result<bool, Stop> {
        if self.projection.policies.of(error.kind()) == OnFailure::Skip {
            return self.unpark(conn, parked, None);
        }
        self.repark(conn, parked, error).map(|()| false)
    }

    fn repark(&mut self, conn: &mut C, parked: &ParkedEvent, error: &HandlerError) -> Result<(), Stop> {
        let parked = ParkedEvent {
            reason: reason(error.kind()),
            error: error.to_string(),
            attempts: parked.attempts.saturating_add(1),
            ..parked.clone()
        };
        let outcome = self.in_place(conn, |applier, conn| {
            conn.database().repark(&applier.projection.id, &parked)?;
            Ok(())
        });
        outcome.map_err(Rollback::into_stop)
    }

    /// A transaction that moves the checkpoint to where it is: whoever has lost the partition is found out.
    fn in_place(
        &mut self,
        conn: &mut C,
        work: impl FnOnce(&mut Self, &mut C) -> Result<(), Rollback>,
    ) -> Result<(), Rollback> {
        let step = Step { to: self.claim.position, last_event_id: None, now: timestamp::now() };
        self.transaction(conn, &step, work)
    }
}
