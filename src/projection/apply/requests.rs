//! Serves what operators have asked for with parked events. Only the worker that has the lease does, so the
//! order of an aggregate's events is in one hand.

use std::collections::BTreeMap;
use std::time::Instant;

use diesel::result::Error;

use super::in_turn::InTurn;
use super::lease::Lease;
use super::losses::Losses;
use super::parking::{ParkingLot, reason};
use super::step::{Parking, Work, transaction};
use super::stop::{Rollback, Stop, connection_lost, failed, not_recorded, run_again};
use super::transient::Transient;
use crate::model::event::RecordedEvent;
use crate::model::parked::{ParkReason, ParkedEvent, Request};
use crate::model::stream_id::StreamId;
use crate::model::timestamp;
use crate::observe;
use crate::projection::handler::HandlerError;
use crate::projection::link::{Link, ProjectionOf};
use crate::projection::policy::OnFailure;
use crate::projection::storable::storable;
use crate::storage::parked::Parked;
use crate::storage::partitions::Step;
use crate::storage::read::Read;

pub(super) struct Requests<'a, 'p, L: Link> {
    pub(super) projection: &'a ProjectionOf<L>,
    pub(super) in_turn: &'a mut InTurn<'p>,
    pub(super) lease: &'a mut Lease,
    pub(super) parking: &'a mut ParkingLot,
    pub(super) losses: &'a mut Losses,
    pub(super) is_alone: bool,
    pub(super) has_one_connection: bool,
}

impl<L: Link> Requests<'_, '_, L> {
    /// Finds out which streams are held back, and serves what was asked for, or left behind by another
    /// worker.
    pub(super) async fn begin(&mut self, conn: &mut L) -> Result<(), Stop> {
        let parked = conn.database().parked(&self.projection.id).await?;
        let streams = self.by_stream(parked);
        *self.parking = ParkingLot::behind(streams.values().flatten());
        self.serve(conn, streams).await
    }

    /// Serves what was asked for since. The streams of which nothing was asked are not looked at.
    pub(super) async fn serve_new(&mut self, conn: &mut L) -> Result<(), Stop> {
        let parked = conn.database().parked_beside_requests(&self.projection.id).await?;
        let streams = self.by_stream(parked);
        self.serve(conn, streams).await
    }

    async fn serve(
        &mut self,
        conn: &mut L,
        streams: BTreeMap<StreamId, Vec<ParkedEvent>>,
    ) -> Result<(), Stop> {
        for (stream, parked) in streams {
            self.serve_stream(conn, &stream, parked).await?;
        }
        Ok(())
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
    async fn serve_stream(
        &mut self,
        conn: &mut L,
        stream: &StreamId,
        parked: Vec<ParkedEvent>,
    ) -> Result<(), Stop> {
        let mut is_blocked = false;
        for parked in parked {
            self.in_turn.go_on()?;
            let is_free = parked.reason == ParkReason::Held || parked.requested == Some(Request::Retry);
            let holds_back = match parked.requested {
                Some(Request::Discard) => self.unpark(conn, &parked, None).await?,
                _ if is_free && !is_blocked => self.retry(conn, &parked).await?,
                // It follows by itself.
                Some(Request::Retry) if parked.reason == ParkReason::Held => self.leave(conn, parked).await?,
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

    /// It stays as it is, and the request is answered.
    async fn leave(&mut self, conn: &mut L, parked: ParkedEvent) -> Result<bool, Stop> {
        let holds_back = parked.holds_back;
        self.settle(conn, Parking::Repark(parked)).await?;
        Ok(holds_back)
    }

    /// Whether the event still holds back what comes after it.
    async fn retry(&mut self, conn: &mut L, parked: &ParkedEvent) -> Result<bool, Stop> {
        let event = conn.database().read_event(parked.event_id).await?;
        self.unpark(conn, parked, event.as_ref()).await
    }

    /// Applies the event, if there is one, and forgets that it was parked; or records that it has failed once
    /// more. Whether it still holds back what comes after it.
    async fn unpark(
        &mut self,
        conn: &mut L,
        parked: &ParkedEvent,
        event: Option<&RecordedEvent>,
    ) -> Result<bool, Stop> {
        let parking = [Parking::Unpark(parked.position)];
        let work = Work { events: event.map_or(&[], std::slice::from_ref), parking: &parking };
        let mut transient = Transient::default();
        let (_, mut lost) = self.losses.take(parked.position);
        loop {
            let outcome = match lost.take() {
                Some(failure) => Err(Rollback::Handler(failure)),
                None => self.in_place(conn, work).await,
            };
            match outcome {
                Ok(()) => return Ok(false),
                Err(Rollback::Stop(stop)) => return Err(stop),
                Err(Rollback::Lost { failure, broken }) => {
                    return Err(self.lost(parked, event, failure, broken));
                }
                Err(Rollback::Handler(error)) if error.is_retryable() => {
                    let pause = transient.pause_after(&error).filter(|_| self.is_alone);
                    let (Some(pause), Some(event)) = (pause, event) else {
                        let position = parked.position;
                        return Err(run_again(&self.projection.id, position, error));
                    };
                    observe::projection::transient(self.lease.partition(), event, &error);
                    self.lease.wait(conn, self.in_turn.is_asked(), pause).await?;
                }
                Err(Rollback::Handler(error)) => return self.settle_failure(conn, parked, &error).await,
            }
        }
    }

    /// The connection is lost, and the handler has had it.
    fn lost(
        &mut self,
        parked: &ParkedEvent,
        event: Option<&RecordedEvent>,
        failure: HandlerError,
        broken: Error,
    ) -> Stop {
        let (Some(event), id) = (event, &self.projection.id) else { return broken.into() };
        observe::projection::transient(self.lease.partition(), event, &failure);
        if self.has_one_connection && !failure.is_retryable() {
            return failed(id, event, failure, parked.attempts.saturating_add(1)).into();
        }
        let stop = connection_lost(id, event, &failure, broken);
        self.losses.note(parked.position, failure);
        stop
    }

    async fn settle_failure(
        &mut self,
        conn: &mut L,
        parked: &ParkedEvent,
        error: &HandlerError,
    ) -> Result<bool, Stop> {
        let policy = error.policy().unwrap_or(self.projection.policies.of(error.kind()));
        if policy == OnFailure::Skip {
            self.settle(conn, Parking::Unpark(parked.position)).await?;
            return Ok(false);
        }
        let parked = ParkedEvent {
            reason: reason(error.kind()),
            error: storable(&error.to_string()),
            attempts: parked.attempts.saturating_add(1),
            // To stop is not to let later events pass.
            holds_back: policy != OnFailure::ParkAlone,
            ..parked.clone()
        };
        let holds_back = parked.holds_back;
        let outcome = self.settle(conn, Parking::Repark(parked)).await;
        outcome.map_err(|stop| not_recorded(stop, self.lease.partition(), error))?;
        Ok(holds_back)
    }

    /// Without the handler.
    async fn settle(&mut self, conn: &mut L, parking: Parking) -> Result<(), Stop> {
        let work = Work { parking: &[parking], ..Work::default() };
        self.in_place(conn, work).await.map_err(Rollback::into_stop)
    }

    /// A transaction that moves the checkpoint to where it is: a worker that has lost the partition is found
    /// out.
    async fn in_place(&mut self, conn: &mut L, work: Work<'_>) -> Result<(), Rollback> {
        let turn = self.in_turn.take(conn, self.lease).await.map_err(Rollback::Stop)?;
        let (begin, now) = (Instant::now(), timestamp::now());
        let step = Step { to: self.lease.checkpoint(), witness: None, now };
        let outcome = transaction(conn, self.projection, self.lease, &step, work).await;
        self.in_turn.after(turn, begin, &outcome);
        outcome
    }
}
