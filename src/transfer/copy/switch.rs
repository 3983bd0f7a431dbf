//! From one open log to the other.

use std::thread;
use std::time::{Duration, Instant};

use diesel::result::QueryResult;

use super::abandon::unfreeze_only;
use super::control::CopyControl;
use super::copied::Copied;
use super::copier::Copier;
use super::error::CopyError;
use super::look::{carried, refuse_archived};
use super::options::CopyOptions;
use super::plan::refuse_undecided;
use crate::model::partition::Partition;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::operate::FreezeError;
use crate::operate::freeze::freeze_with;
use crate::operate::note::{has_moved, move_of, moved, note_of_move};
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::write_transaction::write_transaction;
use crate::transfer::error::ReceiveError;
use crate::transfer::keys::each_key;
use crate::transfer::note::Note;
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
        let begin = Instant::now();
        self.freeze(options)?;
        self.confirm(options.patience)?;
        self.copy_rest(options.patience)?;
        refuse_archived(self.source, self.target.conn, Position::END)?;
        self.carry(options, control)?;
        self.leave_source()?;
        let copied = self.copied();
        self.target.open(options.patience)?;
        Ok(Copied { closed_for: begin.elapsed(), ..copied })
    }

    /// A projection may have begun meanwhile.
    fn refuse_undecided(&mut self, options: &CopyOptions) -> Result<(), CopyError> {
        let known = self.target.conn.database().every_partition()?;
        let known: Vec<_> =
            ids(&known).into_iter().filter(|id| !self.target.note.has_brought(id)).cloned().collect();
        refuse_undecided(&carried(self.source, options, &known)?)
    }

    fn freeze(&mut self, options: &CopyOptions) -> Result<(), CopyError> {
        if !self.is_switching()? {
            // As long as the source is open, what goes along with the events changes, so it is brought again.
            // And the source is not closed for a copy that is not wanted any more.
            self.target.move_on(self.target.note.incomplete(), |_| Ok(()))?;
            freeze_with(self.source, note_of_move(&options.reason(), &self.id()), options.patience)?;
        }
        self.frozen_note().map(drop)
    }

    /// That of the source, which is frozen for this move.
    fn frozen_note(&mut self) -> Result<String, CopyError> {
        match self.is_switching()? {
            true => Ok(self.source.database().log_row()?.note.unwrap_or_default()),
            false => Err(CopyError::SourceOpened),
        }
    }

    /// Whoever has abandoned the copy while this has waited has found the source open.
    fn confirm(&mut self, patience: Duration) -> Result<(), CopyError> {
        let outcome = self.target.move_on(self.target.note.clone(), |_| Ok(()));
        if matches!(outcome, Err(ReceiveError::Overtaken)) && !self.is_wanted_by_another()? {
            self.open_source(patience)?;
        }
        Ok(outcome?)
    }

    /// Another process may go on with the same copy.
    fn is_wanted_by_another(&mut self) -> Result<bool, CopyError> {
        let there = self.target.conn.database().log_row()?;
        let note = there.note.as_deref().and_then(Note::read);
        let copied = note.as_ref().and_then(Note::copied);
        Ok(copied.is_some_and(|copied| copied.id == self.id() && !copied.is_abandoned))
    }

    /// If it is closed for this move, and the target does not open.
    fn open_source(&mut self, patience: Duration) -> Result<(), CopyError> {
        let note = self.source.database().log_row()?.note.unwrap_or_default();
        match move_of(&note) == Some(self.id()) && !has_moved(&note) {
            true => Ok(unfreeze_only(self.source, &note, patience).map(drop)?),
            false => Ok(()),
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
        self.seize(ids(&partitions).into_iter().filter(|id| keeps(id)))?;
        control.move_read_models().map_err(CopyError::ReadModels)?;
        let mut projections = Projections::read(self.source)?;
        projections.retain(keeps);
        projections.partitions.iter_mut().for_each(Partition::fence);
        let mut keys = Vec::new();
        each_key(self.source, Position::END, |key| {
            keys.push(key);
            Ok::<_, CopyError>(())
        })?;
        let starts = self.source.database().stream_starts(Position::END)?;
        self.target.receive_rest(&Rest { starts, projections, keys })?;
        let given = self.source.database().last_assigned_position()?;
        let above = highest_position(self.target.conn)?.max(given);
        Ok(self.target.conn.database().go_on_above(above)?)
    }

    /// Takes projections from their workers, unless somebody has opened the source meanwhile: whoever opens
    /// it gives back what was taken before.
    fn seize<'p>(&mut self, projections: impl Iterator<Item = &'p ProjectionId>) -> Result<(), CopyError> {
        let note = self.frozen_note()?;
        write_transaction(self.source, |conn| {
            for id in projections {
                conn.database().seize(id)?;
            }
            match conn.database().replace_note(&note, &note)? {
                true => Ok(()),
                false => Err(CopyError::SourceOpened),
            }
        })
    }

    /// From here on the source is opened only if the target is not. If somebody has opened it meanwhile, the
    /// target stays closed.
    fn leave_source(&mut self) -> Result<(), CopyError> {
        let note = self.frozen_note()?;
        match self.source.database().replace_note(&note, &moved(&note))? {
            true => Ok(()),
            false => Err(CopyError::SourceOpened),
        }
    }
}

/// Above it positions go on: above the last event, and above what readers have seen.
pub(super) fn highest_position<C: EventConnection + ?Sized>(conn: &mut C) -> QueryResult<Position> {
    let last = conn.database().last_committed_position()?;
    let partitions = conn.database().every_partition()?;
    Ok(partitions.iter().map(|partition| partition.position).max().unwrap_or(last).max(last))
}
