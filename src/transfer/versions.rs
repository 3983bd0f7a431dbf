use std::collections::{HashMap, VecDeque};

use super::error::{FileProblem, ImportError};
use crate::model::event::RecordedEvent;
use crate::model::hole::Hole;
use crate::model::stream_id::StreamId;
use crate::storage::carry::StreamStart;

/// Where each stream of a file has come to, compared with what the file says of it: 24 bytes for each stream,
/// whatever its name.
#[derive(Default)]
pub(super) struct Versions {
    last: HashMap<[u64; 2], i64>,
    /// Of streams of which events are missing in the middle, what has not been passed yet.
    missing: HashMap<[u64; 2], VecDeque<Hole>>,
}

impl Versions {
    pub(super) fn begin(&mut self, start: &StreamStart) {
        let digest = start.stream.digest();
        if let Some(first_version) = start.first_version {
            self.last.insert(digest, first_version - 1);
        }
        if !start.missing.is_empty() {
            self.missing.insert(digest, start.missing.iter().cloned().collect());
        }
    }

    /// Of the last event of a stream that was added.
    pub(super) fn last(&self, stream: &StreamId) -> Option<i64> {
        self.last.get(&stream.digest()).copied()
    }

    pub(super) fn add(&mut self, event: &RecordedEvent) -> Result<(), FileProblem> {
        let digest = event.stream.digest();
        let last = self.last.entry(digest).or_insert(0);
        let mut expected = last.saturating_add(1);
        if event.version != expected {
            let hole = self.missing.get_mut(&digest).and_then(|missing| pass(missing, expected));
            expected = hole.map_or(expected, |hole| hole.end() + 1);
        }
        if event.version != expected {
            let stream = event.stream.clone();
            return Err(FileProblem::Version { stream, expected, found: event.version });
        }
        *last = event.version;
        Ok(())
    }

    /// Behind the last event, whether it is as the lines of the streams say, which follow the header.
    pub(super) fn compare(&self, starts: &[StreamStart]) -> Result<(), ImportError> {
        for (line, start) in (2..).zip(starts) {
            let found = self.last(&start.stream);
            let expected = start.first_version.map(|_| start.version);
            let has_passed = self.missing.get(&start.stream.digest()).is_none_or(VecDeque::is_empty);
            if found != expected || !has_passed {
                return Err(differs(start, found).at(line));
            }
        }
        Ok(())
    }
}

/// What is missing from this version on.
fn pass(missing: &mut VecDeque<Hole>, version: i64) -> Option<Hole> {
    match missing.front() {
        Some(hole) if *hole.start() == version => missing.pop_front(),
        _ => None,
    }
}

fn differs(start: &StreamStart, found: Option<i64>) -> FileProblem {
    let stream = &start.stream;
    FileProblem::malformed(match (start.first_version, found) {
        (None, _) => format!("first_version is not given, and {stream} has events in this file"),
        (Some(first), Some(last)) if last < first => {
            format!("first_version is {first}, and {stream} has no events in this file")
        }
        (_, last) => {
            let (version, last) = (start.version, last.unwrap_or(0));
            format!("version is {version}, and {stream} ends in this file with {last}")
        }
    })
}
