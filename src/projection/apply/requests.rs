//! Serves what operators have asked for with parked events. Only the worker that has the lease does, so the
//! order of an aggregate's events is in one hand.

use std::collections::BTreeMap;

use super::lease::Lease;
use super::parking::{ParkingLot, reason};
use super::step::{lend, transaction};
use super::stop::{Pause, Rollback, Stop, not_recorded, run_again};
use super::transient::Transient;
use crate::model::event::RecordedEvent;
use crate::model::parked::{ParkReason, ParkedEvent, Request};
use crate::model::stream_id::StreamId;
use crate::model::timestamp;
use crate::observe;
use crate::projection::definition::Projection;
use crate::projection::handler::HandlerError;
use crate::projection::policy::OnFailure;
use crate::projection::storable::storable;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::partitions::Step;

pub(super) struct Requests<'a, C> {
    pub(super) projection: &'a Projection<C>,
    pub(super) pause: &'a Pause<'a>,
    pub(super) lease: &'a mut Lease,
    pub(super) parking: &'a mut ParkingLot,
    pub(super) is_alone: bool,
}

impl<C: EventConnection> Requests<'_, C> {
    /// Finds out which streams are held back, and serves what was asked for, or left behind by another
    /// worker.
    pub(super) fn begin(&mut self, conn: &mut C) -> Result<(), Stop> {
        let parked = conn.database().parked(&self.projection.id)?;
        let streams = self.by_stream(parked);
        *self.parking = ParkingLot::behind(streams.values().flatten());
        self.serve(conn, streams)
    }

    /// Serves what was asked for since. The streams of which nothing was asked are not looked at.
    pub(super) fn serve_new(&mut self, conn: &mut C) -> Result<(), Stop> {
        let parked = conn.database().parked_beside_requests(&self.projection.id)?;
        let streams = self.by_stream(parked);
        self.serve(conn, streams)
    }

    fn serve(&mut self, conn: &mut C, streams: BTreeMap<StreamId, Vec<ParkedEvent>>) -> Result<(), Stop> {
        streams.into_iter().try_for_each(|(stream, parked)| self.serve_stream(conn, &stream, parked))
    }

    /// Those of this partition, in the order of their positions.
    fn by_stream(&self, parked: Vec<ParkedEvent>) -> BTreeMap<StreamId, Vec<ParkedEvent>> {
        let mut streams: BTreeMap<StreamId, Vec<ParkedEvent>> = BTreeMap::new();
        for parked in parked.into_iter().filter(|parked| self.lease.is_mine(&parked.stream)) {
            streams.entry(parked.stream.clone()).or_default().push(parked);
        }
        streams
    }

    /// What stands behind an event that stays parked stays, too, unless that is parked alone.
    fn serve_stream(
        &mut self,
        conn: &mut C,
        stream: &StreamId,
        parked: Vec<ParkedEvent>,
    ) -> Result<(), Stop> {
        let mut is_blocked = false;
        for parked in parked {
            let is_free = parked.reason == ParkReason::Held || parked.requested == Some(Request::Retry);
            let holds_back = match parked.requested {
                Some(Request::Discard) => self.unpark(conn, &parked, None)?,
                _ if is_free && !is_blocked => self.retry(conn, &parked)?,
                _ => parked.holds_back,
            };
            is_blocked |= holds_back;
        }
        match is_blocked {
            true => self.parking.hold(stream),
            false => self.parking.let_go(stream),
        }
        Ok(())
    }

    /// Whether the event still holds back what comes after it.
    fn retry(&mut self, conn: &mut C, parked: &ParkedEvent) -> Result<bool, Stop> {
        let event = conn.database().read_event(parked.event_id)?;
        self.unpark(conn, parked, event.as_ref())
    }

    /// Applies the event, if there is one, and forgets that it was parked; or records that it has failed once
    /// more. Whether it still holds back what comes after it.
    fn unpark(
        &mut self,
        conn: &mut C,
        parked: &ParkedEvent,
        event: Option<&RecordedEvent>,
    ) -> Result<bool, Stop> {
        let projection = self.projection;
        let mut transient = Transient::default();
        loop {
            let outcome = self.in_place(conn, |conn, lease| {
                if let Some(event) = event {
                    lend(conn, lease, projection, std::slice::from_ref(event))?;
                }
                conn.database().unpark(&projection.id, parked.position)?;
                Ok(())
            });
            match outcome {
                Ok(()) => return Ok(false),
                Err(Rollback::Stop(stop)) => return Err(stop),
                Err(Rollback::Handler(error)) if error.is_retryable() => {
                    let pause = transient.pause(&error).filter(|_| self.is_alone);
                    let (Some(pause), Some(event)) = (pause, event) else {
                        let position = parked.position;
                        return Err(run_again(&projection.id, position, error));
                    };
                    observe::projection::transient(self.lease.partition(), event, &error);
                    self.lease.wait(conn, self.pause, pause)?;
                }
                Err(Rollback::Handler(error)) => return self.has_failed(conn, parked, &error),
            }
        }
    }

    fn has_failed(&mut self, conn: &mut C, parked: &ParkedEvent, error: &HandlerError) -> Result<bool, Stop> {
        let policy = error.policy().unwrap_or(self.projection.policies.of(error.kind()));
        if policy == OnFailure::Skip {
            return self.unpark(conn, parked, None);
        }
        let parked = ParkedEvent {
            reason: reason(error.kind()),
            error: storable(&error.to_string()),
            attempts: parked.attempts.saturating_add(1),
            // To stop is not to let later events pass.
            holds_back: policy != OnFailure::ParkAlone,
            ..parked.clone()
        };
        let outcome = self.repark(conn, &parked);
        outcome.map_err(|stop| not_recorded(stop, self.lease.partition(), error))?;
        Ok(parked.holds_back)
    }

    fn repark(&mut self, conn: &mut C, parked: &ParkedEvent) -> Result<(), Stop> {
        let id = &self.projection.id;
        let outcome = self.in_place(conn, |conn, _| {
            conn.database().repark(id, parked)?;
            Ok(())
        });
        outcome.map_err(Rollback::into_stop)
    }

    /// A transaction that moves the checkpoint to where it is: a worker that has lost the partition is found
    /// out.
    fn in_place(
        &mut self,
        conn: &mut C,
        work: impl FnOnce(&mut C, &Lease) -> Result<(), Rollback>,
    ) -> Result<(), Rollback> {
        let step = Step { to: self.lease.checkpoint(), witness: None, now: timestamp::now() };
        transaction(conn, self.lease, &step, work)
    }
}
