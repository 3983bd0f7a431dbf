use crate::model::event::RecordedEvent;
use crate::model::leaf::Leaf;
use crate::model::position::Position;
use crate::operate::links::Link;

/// In one transaction. More would make it no faster.
const EVENTS: usize = 10_000;
const BYTES: usize = 8 << 20;

/// Events that are written together.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) events: Vec<RecordedEvent>,
    /// What is left of archived ones between them.
    pub(super) leaves: Vec<Leaf>,
    bytes: usize,
}

impl Batch {
    pub(super) fn push(&mut self, link: Link) {
        match link {
            Link::Event(event) => {
                self.bytes += event.bytes();
                self.events.push(event);
            }
            Link::Gone(leaf) => self.leaves.push(leaf),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.events.len() + self.leaves.len() == EVENTS || self.bytes >= BYTES
    }

    /// Of the last event, whether or not it is still there.
    pub(super) fn last_position(&self) -> Option<Position> {
        let event = self.events.last().map(|event| event.position);
        event.max(self.leaves.last().map(|leaf| leaf.position))
    }

    /// How many lines of a file follow the one of this position.
    pub(super) fn items_after(&self, position: Position) -> u64 {
        let events = self.events.iter().filter(|event| event.position > position).count();
        let leaves = self.leaves.iter().filter(|leaf| leaf.position > position).count();
        (events + leaves) as u64
    }

    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.leaves.clear();
        self.bytes = 0;
    }
}
