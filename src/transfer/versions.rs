use std::collections::HashMap;
use std::hash::Hasher;

use twox_hash::XxHash64;

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
            self.0.insert(key(&start.stream), first_version - 1);
        }
    }

    pub(super) fn add(&mut self, event: &RecordedEvent) -> Result<(), FileProblem> {
        let version = self.0.entry(key(&event.stream)).or_insert(0);
        if event.version != *version + 1 {
            let (stream, expected) = (event.stream.clone(), *version + 1);
            return Err(FileProblem::Version { stream, expected, found: event.version });
        }
        *version = event.version;
        Ok(())
    }
}

fn key(stream: &StreamId) -> [u64; 2] {
    [0, 1].map(|seed| {
        let mut hasher = XxHash64::with_seed(seed);
        for name in [stream.tenant_column(), stream.aggregate_type(), stream.aggregate_id()] {
            hasher.write(name.as_bytes());
            hasher.write(&[0]); // which no name has
        }
        hasher.finish()
    })
}
