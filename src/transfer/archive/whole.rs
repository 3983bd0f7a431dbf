use std::collections::HashMap;
use std::io::BufRead;

use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::storage::carry::StreamStart;
use crate::transfer::error::{FileProblem, ImportError};
use crate::transfer::file::{LogFile, WholeFile};
use crate::transfer::header::{Content, Header};
use crate::transfer::item::{Item, Line};
use crate::transfer::versions::Versions;

/// An archive that was read to its end and is whole. In memory are 24 bytes for each stream, and 24 more for
/// each that does not begin with version 1.
pub(super) struct Whole {
    pub(super) header: Header,
    pub(super) last_position: Position,
    versions: Versions,
    /// Of streams that do not begin with version 1.
    starts: HashMap<[u64; 2], i64>,
}

impl Whole {
    pub(super) fn read<R: BufRead>(input: R) -> Result<Self, ImportError> {
        let (file, mut versions) = (LogFile::open(input, Content::Archive)?, Versions::default());
        let mut starts = Vec::new();
        let WholeFile { header, last_position, .. } = file.each(|Line { number, item, .. }| {
            match item {
                Item::Stream(start) => {
                    versions.begin(&start);
                    starts.push(start);
                }
                Item::Event(event) => versions.add(&event).map_err(|problem| problem.at(number))?,
                other => return Err(FileProblem::Order { what: other.place().name() }.at(number)),
            }
            Ok(())
        })?;
        versions.compare(&starts)?;
        let first = |start: StreamStart| Some((start.stream.digest(), start.first_version?));
        Ok(Self { header, last_position, versions, starts: starts.into_iter().filter_map(first).collect() })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.last_position == Position::START
    }

    /// Of the last event of a stream in the file, which is in it.
    pub(super) fn last_version(&self, stream: &StreamId) -> i64 {
        self.versions.last(stream).unwrap_or(0)
    }

    /// Of its first event.
    pub(super) fn first_version(&self, stream: &StreamId) -> i64 {
        self.starts.get(&stream.digest()).copied().unwrap_or(1)
    }
}
