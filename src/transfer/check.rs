use std::io::BufRead;

use super::chain::Chain;
use super::error::ImportError;
use super::file::{Header, LogFile};
use super::item::Item;
use super::versions::Versions;
use crate::model::parked::ParkedEvent;
use crate::model::partition::Partition;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::storage::carry::{StreamStart, UsedKey};

/// A file that was read to its end and is whole.
pub(super) struct Checked {
    pub(super) header: Header,
    /// Of all events.
    pub(super) chain: Chain,
    pub(super) rest: Rest,
}

/// What is in a file beside the events.
#[derive(Default)]
pub(super) struct Rest {
    pub(super) starts: Vec<StreamStart>,
    pub(super) partitions: Vec<Partition>,
    pub(super) parked: Vec<(ProjectionId, ParkedEvent)>,
    pub(super) keys: Vec<UsedKey>,
}

impl Checked {
    /// Above what positions go on.
    pub(super) fn highest_position(&self) -> Position {
        let checkpoints = self.rest.partitions.iter().map(|partition| partition.position);
        checkpoints.chain([self.header.end]).max().unwrap_or(self.header.end)
    }
}

/// Reads a whole file, and writes nothing. `event` is told where the chain is behind each position.
pub(super) fn check<R: BufRead>(
    input: R,
    mut event: impl FnMut(Position, Chain),
) -> Result<Checked, ImportError> {
    let (mut file, mut rest, mut versions) = (LogFile::open(input)?, Rest::default(), Versions::default());
    event(Position::START, file.chain);
    while let Some(item) = file.next()? {
        match item {
            Item::Stream(start) => {
                versions.begin(&start);
                rest.starts.push(start);
            }
            Item::Event(recorded) => {
                versions.add(&recorded).map_err(|problem| problem.at(file.line()))?;
                event(recorded.position, file.chain);
            }
            Item::Partition(partition) => rest.partitions.push(*partition),
            Item::Parked(projection, parked) => rest.parked.push((projection, *parked)),
            Item::Key(key) => rest.keys.push(key),
        }
    }
    Ok(Checked { header: file.header, chain: file.chain, rest })
}
