use uuid::Uuid;

use crate::model::event::RecordedEvent;
use crate::model::position::Position;

/// An event that was applied. It tells whether a log is the one that was applied: positions are assigned
/// once, so the same log never has another event there. It may have none there any more, once the event was
/// erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Witness {
    pub(crate) position: Position,
    pub(crate) event_id: Uuid,
}

impl From<&RecordedEvent> for Witness {
    fn from(event: &RecordedEvent) -> Self {
        Self { position: event.position(), event_id: event.id() }
    }
}
