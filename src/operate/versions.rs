use std::collections::HashMap;

use crate::model::event::RecordedEvent;

/// The last version of each stream: 24 bytes for each, whatever its name.
#[derive(Default)]
pub(super) struct Versions(HashMap<[u64; 2], i64>);

impl Versions {
    /// The version before that of the event, if its stream has one.
    pub(super) fn replace(&mut self, event: &RecordedEvent) -> Option<i64> {
        self.0.insert(event.stream().digest(), event.version())
    }

    pub(super) fn streams(&self) -> u64 {
        self.0.len() as u64
    }
}
