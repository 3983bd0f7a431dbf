use crate::model::appended::Appended;
use crate::model::position::Position;

/// The result of [`EventStore::append_batch`](crate::EventStore::append_batch).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchAppended {
    pub(crate) streams: Vec<Appended>,
    pub(crate) is_repeat: bool,
}

impl BatchAppended {
    /// What was recorded in each stream, in the order of the batch.
    pub fn streams(&self) -> &[Appended] {
        &self.streams
    }

    /// Returns only what was recorded in each stream.
    pub fn into_streams(self) -> Vec<Appended> {
        self.streams
    }

    /// Whether the batch was appended before, with the same [key](crate::AppendBatch::idempotency_key). The
    /// rest of the result is then that of the first time.
    pub fn is_repeat(&self) -> bool {
        self.is_repeat
    }

    /// The position of the last event of the batch.
    pub fn last_position(&self) -> Position {
        self.streams.last().map_or(Position::START, Appended::last_position)
    }
}
