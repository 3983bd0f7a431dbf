use crate::model::event::RecordedEvent;

/// In one transaction. More would make it no faster.
const EVENTS: usize = 5_000;
const BYTES: usize = 4 << 20;

/// Events that are written together.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) events: Vec<RecordedEvent>,
    bytes: usize,
}

impl Batch {
    pub(super) fn push(&mut self, event: RecordedEvent) {
        self.bytes += event.bytes();
        self.events.push(event);
    }

    pub(super) fn is_full(&self) -> bool {
        self.events.len() == EVENTS || self.bytes >= BYTES
    }

    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.bytes = 0;
    }
}
