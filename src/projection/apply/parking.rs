use std::borrow::Cow;
use std::collections::HashSet;

use crate::model::event::RecordedEvent;
use crate::model::parked::{ParkReason, ParkedEvent};
use crate::model::stream_id::StreamId;
use crate::model::timestamp;
use crate::projection::failure_kind::FailureKind;
use crate::projection::policy::OnFailure;

/// The streams whose later events wait behind a parked one. Only the worker that has the lease parks and
/// unparks, so it need not look each time.
#[derive(Debug, Default)]
pub(super) struct ParkingLot(HashSet<StreamId>);

impl ParkingLot {
    /// Behind these events.
    pub(super) fn behind<'a>(parked: impl Iterator<Item = &'a ParkedEvent>) -> Self {
        let holding = parked.filter(|parked| parked.holds_back);
        Self(holding.map(|parked| parked.stream.clone()).collect())
    }

    pub(super) fn note_parked(&mut self, parked: ParkedEvent) {
        if parked.holds_back {
            self.0.insert(parked.stream);
        }
    }

    pub(super) fn hold(&mut self, stream: &StreamId) {
        self.0.insert(stream.clone());
    }

    pub(super) fn let_go(&mut self, stream: &StreamId) {
        self.0.remove(stream);
    }

    /// What the handler is given, and what waits.
    pub(super) fn hold_back<'e>(
        &self,
        events: &'e [RecordedEvent],
    ) -> (Cow<'e, [RecordedEvent]>, Vec<RecordedEvent>) {
        if !events.iter().any(|event| self.0.contains(event.stream())) {
            return (Cow::Borrowed(events), Vec::new());
        }
        let (held, free) = events.iter().cloned().partition(|event| self.0.contains(event.stream()));
        (Cow::Owned(free), held)
    }
}

/// An event at which the handler has failed.
pub(super) fn parked(
    event: &RecordedEvent,
    reason: ParkReason,
    error: String,
    attempts: i32,
    policy: OnFailure,
) -> ParkedEvent {
    ParkedEvent {
        position: event.position(),
        event_id: event.id(),
        stream: event.stream().clone(),
        reason,
        error,
        attempts,
        parked_at: timestamp::now(),
        requested: None,
        holds_back: policy != OnFailure::ParkAlone,
    }
}

pub(super) fn held_back(event: &RecordedEvent) -> ParkedEvent {
    let error = "an earlier event of the aggregate is parked".to_owned();
    parked(event, ParkReason::Held, error, 0, OnFailure::Park)
}

pub(super) fn reason(kind: FailureKind) -> ParkReason {
    match kind {
        FailureKind::Failed => ParkReason::Failed,
        FailureKind::Undecodable => ParkReason::Undecodable,
        FailureKind::UnknownEventType => ParkReason::UnknownEventType,
    }
}
