use std::io::BufRead;

use super::error::{FileProblem, ImportError};
use super::file::{LogFile, WholeFile};
use super::header::{Content, Header};
use super::item::{Item, Line};
use super::projections::Projections;
use super::rest::Rest;
use super::versions::Versions;
use crate::line::chain::Chain;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;

/// A file that was read to its end and is whole.
pub(super) struct Checked {
    pub(super) header: Header,
    /// Of all events.
    pub(super) chain: Chain,
    pub(super) rest: Rest,
}

impl Checked {
    /// Above what positions go on.
    pub(super) fn highest_position(&self) -> Position {
        let checkpoints = self.rest.projections.partitions.iter().map(|partition| partition.position);
        checkpoints.chain([self.header.end]).max().unwrap_or(self.header.end)
    }
}

/// Reads a whole file, and writes nothing. `event` is told where the chain is behind each position.
pub(super) fn check<R: BufRead>(
    input: R,
    mut event: impl FnMut(Position, Chain),
) -> Result<Checked, ImportError> {
    let (file, mut versions) = (LogFile::open(input, Content::Log)?, Versions::default());
    let mut projections = Projections { partitions: Vec::new(), parked: Vec::new() };
    let (mut starts, mut keys) = (Vec::new(), Vec::new());
    event(Position::START, Chain::of_log(file.header.log_id));
    let WholeFile { header, chain, .. } = file.each(|Line { number, item, chain }| {
        match item {
            Item::Stream(start) => {
                versions.begin(&start);
                starts.push(start);
            }
            Item::Event(recorded) => {
                versions.add(&recorded).map_err(|problem| problem.at(number))?;
                event(recorded.position, chain);
            }
            Item::Gone(leaf) => event(leaf.position, chain),
            Item::Partition(partition) => projections.partitions.push(*partition),
            Item::Parked(projection, parked) => {
                refuse_foreign(&projections, &projection).map_err(|problem| problem.at(number))?;
                projections.parked.push((projection, *parked));
            }
            Item::Key(key) => keys.push(key),
        }
        Ok::<_, ImportError>(())
    })?;
    versions.compare(&starts)?;
    Ok(Checked { header, chain, rest: Rest { starts, projections, keys } })
}

/// A parked event belongs to a projection that is in the file.
fn refuse_foreign(projections: &Projections, id: &ProjectionId) -> Result<(), FileProblem> {
    match projections.partitions.binary_search_by_key(&id, |partition| &partition.key.projection) {
        Ok(_) => Ok(()),
        Err(_) => Err(FileProblem::malformed(format!("projection: {id} is not in the file"))),
    }
}
