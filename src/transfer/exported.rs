use uuid::Uuid;

use crate::model::position::Position;

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    pub(super) log_id: Uuid,
    pub(super) events: u64,
    pub(super) end: Position,
    pub(super) chain: String,
}

impl Exported {
    /// The id of the log.
    pub fn log_id(&self) -> Uuid {
        self.log_id
    }

    /// How many events are in the file.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Up to where the log was exported.
    pub fn end(&self) -> Position {
        self.end
    }

    /// A SHA-256 over all events, in hexadecimal digits. Kept elsewhere, it proves that the file, and the log
    /// up to there, were not changed since.
    pub fn chain(&self) -> &str {
        &self.chain
    }
}
