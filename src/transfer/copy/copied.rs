use std::time::Duration;

use uuid::Uuid;

use crate::model::position::Position;

/// What a copy has brought, so far or to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    pub(super) log_id: Uuid,
    pub(super) events: u64,
    pub(super) last_position: Position,
    pub(super) closed_for: Duration,
}

impl Copied {
    /// The id of the log.
    pub fn log_id(&self) -> Uuid {
        self.log_id
    }

    /// How many events were copied, by this call. 0 if the log had moved already.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The position of the last event that the target has, and the source.
    pub fn last_position(&self) -> Position {
        self.last_position
    }

    /// For how long neither log took events: from the beginning of the freeze until the target was open. Zero
    /// before that.
    pub fn closed_for(&self) -> Duration {
        self.closed_for
    }
}
