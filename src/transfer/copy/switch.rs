//! From one open log to the other.

use std::thread;
use std::time::{Duration, Instant};

use super::control::CopyControl;
use super::copied::Copied;
use super::copier::Copier;
use super::error::CopyError;
use super::look::{carried, refuse_archived};
use super::options::CopyOptions;
use super::owner::OWNER;
use super::plan::refuse_undecided;
use crate::model::partition::Partition;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::operate::FreezeError;
use crate::operate::freeze::freeze_with;
use crate::operate::note::{move_of, note_of_move};
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::transfer::keys::each_key;
use crate::transfer::projections::{Projections, ids};
use crate::transfer::rest::Rest;

const PAUSE: Duration = Duration::from_millis(5);

impl<S, T> Copier<'_, S, T>
where
    S: EventConnection + ?Sized,
    T: EventConnection + ?Sized,
{
    /// The source is closed before the target opens.
    pub(super) fn switch(
        mut self,
        options: &CopyOptions,
        control: &mut impl CopyControl,
    ) -> Result<Copied, CopyError> {
        self.refuse_undecided(options)?;
        // The source is not closed for a copy that is not wanted any more.
        self.target.move_on(self.target.note.clone(), |_| Ok(()))?;
        let begin = Instant::now();
        self.freeze(options)?;
        self.copy_rest(options.patience)?;
        refuse_archived(self.source, self.target.conn, Position::END)?;
        self.carry(options, control)?;
        self.open_target()?;
        Ok(Copied { closed_for: begin.elapsed(), ..self.copied() })
    }

    /// A projection may have begun meanwhile.
    fn refuse_undecided(&mut self, options: &CopyOptions) -> Result<(), CopyError> {
        let known = self.target.conn.database().every_partition()?;
        let known: Vec<_> = ids(&known).into_iter().cloned().collect();
        refuse_undecided(&carried(self.source, options, &known)?)
    }

    fn freeze(&mut self, options: &CopyOptions) -> Result<(), CopyError> {
        let id = self.target.note.copied().map(|copied| copied.id.clone()).unwrap_or_default();
        freeze_with(self.source, note_of_move(&options.reason(), &id), options.patience)?;
        match self.source.database().log_row()?.closed() {
            Some(closed) if move_of(closed.note()).as_ref() != Some(&id) => {
                Err(CopyError::SourceClosed(closed))
            }
            _ => Ok(()),
        }
    }

    /// Up to the last event, as soon as the source says that it is complete up to there.
    fn copy_rest(&mut self, patience: Duration) -> Result<(), CopyError> {
        let begin = Instant::now();
        loop {
            self.pass(|_| true)?;
            if self.target.note.position == self.source.database().last_committed_position()? {
                return Ok(());
            }
            let waited = begin.elapsed();
            if waited > patience {
                let by = self.source.database().in_the_way()?;
                return Err(FreezeError::InTheWay { waited, by }.into());
            }
            thread::sleep(PAUSE);
        }
    }

    /// What goes along. The checkpoints that are kept stand still from then on.
    fn carry(&mut self, options: &CopyOptions, control: &mut impl CopyControl) -> Result<(), CopyError> {
        let keeps = |id: &ProjectionId| options.keeps(&id.name);
        let partitions = self.source.database().every_partition()?;
        for id in ids(&partitions).into_iter().filter(|id| keeps(id)) {
            self.source.database().seize(id, OWNER)?;
        }
        control.move_read_models().map_err(CopyError::ReadModels)?;
        let mut projections = Projections::read(self.source)?;
        projections.retain(keeps);
        projections.partitions.iter_mut().for_each(Partition::fence);
        let mut keys = Vec::new();
        each_key(self.source, Position::END, |key| {
            keys.push(key);
            Ok::<_, CopyError>(())
        })?;
        let starts = self.source.database().stream_starts()?;
        self.target.receive_rest(&Rest { starts, projections, keys })?;
        let above = self.highest_position()?;
        Ok(self.target.conn.database().go_on_above(above)?)
    }

    /// Above what positions go on.
    fn highest_position(&mut self) -> Result<Position, CopyError> {
        let given = self.source.database().last_assigned_position()?;
        let partitions = self.target.conn.database().every_partition()?;
        let checkpoints = partitions.iter().map(|partition| partition.position);
        Ok(checkpoints.chain([given, self.target.note.position]).max().unwrap_or(given))
    }

    /// What was taken from workers when the log has moved away is theirs again.
    fn open_target(&mut self) -> Result<(), CopyError> {
        let note = self.target.note.clone();
        Ok(self.target.move_on(note, |conn| {
            conn.database().give_back(OWNER)?;
            conn.database().open()
        })?)
    }
}
