use uuid::Uuid;

use crate::model::position::Position;

/// What an import has brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    pub(super) log_id: Uuid,
    pub(super) events: u64,
    pub(super) skipped: u64,
    pub(super) last_position: Position,
}

impl Imported {
    /// The id of the log in the file.
    pub fn log_id(&self) -> Uuid {
        self.log_id
    }

    /// How many events were written, by this call.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How many events were there already.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The position of the last event in the store.
    pub fn last_position(&self) -> Position {
        self.last_position
    }
}
