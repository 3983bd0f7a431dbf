use std::collections::HashMap;

use super::error::FileProblem;
use crate::model::event::RecordedEvent;
use crate::model::stream_id::StreamId;
use crate::storage::carry::StreamStart;

/// The version of each stream so far: 24 bytes for each, whatever its name.
#[derive(Default)]
pub(super) struct Versions(HashMap<[u64; 2], i64>);

impl Versions {
    pub(super) fn begin(&mut self, start: &StreamStart) {
        if let Some(first_version) = start.first_version {
            self.0.insert(start.stream.digest(), first_version - 1);
        }
    }

    /// Of the last event of a stream that was added.
    pub(super) fn last(&self, stream: &StreamId) -> Option<i64> {
        self.0.get(&stream.digest()).copied()
    }

    pub(super) fn add(&mut self, event: &RecordedEvent) -> Result<(), FileProblem> {
        let version = self.0.entry(event.stream.digest()).or_insert(0);
        let expected = version.saturating_add(1);
        if event.version != expected {
            let stream = event.stream.clone();
            return Err(FileProblem::Version { stream, expected, found: event.version });
        }
        *version = event.version;
        Ok(())
    }
}
