use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::model::position::Position;
use crate::model::stream_id::StreamId;

/// An event that a projection has put aside, because it could not be applied or has to wait for one that
/// could not.
///
/// [`parked`](crate::projection::parked()) lists them; [`retry_parked`](crate::projection::retry_parked) and
/// [`discard_parked`](crate::projection::discard_parked) decide what happens to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedEvent {
    pub(crate) position: Position,
    pub(crate) event_id: Uuid,
    pub(crate) stream: StreamId,
    pub(crate) reason: ParkReason,
    pub(crate) error: String,
    pub(crate) attempts: i32,
    pub(crate) parked_at: DateTime<Utc>,
    pub(crate) requested: Option<Request>,
    /// Whether later events of the aggregate wait behind it.
    pub(crate) holds_back: bool,
}

impl ParkedEvent {
    /// The position of the event.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The id of the event, by which [`EventStore::read_event`](crate::EventStore::read_event) finds it.
    pub fn event_id(&self) -> Uuid {
        self.event_id
    }

    /// The stream of the event.
    pub fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// Why it was parked.
    pub fn reason(&self) -> ParkReason {
        self.reason
    }

    /// The last error of the handler.
    pub fn error(&self) -> &str {
        &self.error
    }

    /// How often the handler was given the event: 0 if it is held back.
    pub fn attempts(&self) -> i32 {
        self.attempts
    }

    /// When it was parked, by the clock of the machine that did so.
    pub fn parked_at(&self) -> DateTime<Utc> {
        self.parked_at
    }

    /// Whether somebody has asked to retry or discard it, and no worker has done so yet.
    pub fn is_requested(&self) -> bool {
        self.requested.is_some()
    }
}

/// Why an event is parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParkReason {
    /// The handler has failed, or panicked.
    Failed,
    /// The payload or metadata could not be decoded.
    Undecodable,
    /// The handler does not know the type of the event.
    UnknownEventType,
    /// An earlier event of the same aggregate is parked.
    Held,
}

impl ParkReason {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Undecodable => "undecodable",
            Self::UnknownEventType => "unknown",
            Self::Held => "held",
        }
    }

    /// As it stands in the database.
    pub(crate) fn stored(reason: &str) -> Option<Self> {
        match reason {
            "failed" => Some(Self::Failed),
            "undecodable" => Some(Self::Undecodable),
            "unknown" => Some(Self::UnknownEventType),
            "held" => Some(Self::Held),
            _ => None,
        }
    }
}

/// What a worker is asked to do with a parked event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    Retry,
    Discard,
}

impl Request {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Discard => "discard",
        }
    }

    /// As it stands in the database.
    pub(crate) fn stored(request: &str) -> Option<Self> {
        match request {
            "retry" => Some(Self::Retry),
            "discard" => Some(Self::Discard),
            _ => None,
        }
    }
}
