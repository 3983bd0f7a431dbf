use std::time::{Duration, Instant};

use uuid::Uuid;

use super::control::CopyControl;
use super::copied::Copied;
use super::difference::first_difference;
use super::error::CopyError;
use super::look::Way;
use super::plan::{CopyPlan, Fate};
use crate::line::chain::Chain;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::operate::links::each_hashed;
use crate::operate::note::move_of;
use crate::operate::patiently::patiently;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::transfer::batch::Batch;
use crate::transfer::note::{Move, Note};
use crate::transfer::projections::ids;
use crate::transfer::receiver::{Receiver, forget_projections};

/// A pass that took no longer leaves little for the next.
const SHORT: Duration = Duration::from_secs(1);

/// A log on its way.
pub(super) struct Copier<'c, S, T>
where
    S: EventConnection + ?Sized,
    T: EventConnection + ?Sized,
{
    pub(super) source: &'c mut S,
    pub(super) target: Receiver<'c, T>,
    pub(super) log_id: Uuid,
    /// Of what the target has been given.
    chain: Chain,
    /// Of what the target has, as far as that was read back, and how far that is.
    read_back: (Position, Chain),
    events: u64,
}

impl<'c, S, T> Copier<'c, S, T>
where
    S: EventConnection + ?Sized,
    T: EventConnection + ?Sized,
{
    /// Closes the target. None if nothing is to be done.
    pub(super) fn begin(
        source: &'c mut S,
        target: &'c mut T,
        plan: &CopyPlan,
        (way, chain): (Way, Chain),
        patience: Duration,
    ) -> Result<Option<Self>, CopyError> {
        let log_id = plan.log_id;
        let unread = (Position::START, Chain::of_log(log_id));
        let note = Note::of_copy(plan.after, chain);
        let (mut target, read_back) = match way {
            Way::Done => return Ok(None),
            Way::Begin => (Receiver::begin(target, log_id, note)?, unread),
            Way::GoOn(begun) => (Receiver::resume(target, begun)?, unread),
            Way::Back(frozen) => (receive_again(target, &frozen, note, patience)?, (plan.after, chain)),
        };
        take_up(&mut target, plan)?;
        Ok(Some(Self { source, target, log_id, chain, read_back, events: 0 }))
    }

    /// Again and again, until little is left, or it does not get less.
    pub(super) fn catch_up(&mut self, control: &mut impl CopyControl) -> Result<(), CopyError> {
        let mut before = Duration::MAX;
        loop {
            let begin = Instant::now();
            self.pass(|so_far| control.goes_on(so_far))?;
            let took = begin.elapsed();
            if took < SHORT || took >= before {
                return Ok(());
            }
            before = took;
        }
    }

    /// Everything up to where the source is complete now.
    pub(super) fn pass(&mut self, goes_on: impl FnMut(&Copied) -> bool) -> Result<(), CopyError> {
        let end = self.source.database().last_position()?;
        self.copy_up_to(end, goes_on)?;
        self.compare()?;
        self.have_heads()
    }

    fn copy_up_to(
        &mut self,
        end: Position,
        mut goes_on: impl FnMut(&Copied) -> bool,
    ) -> Result<(), CopyError> {
        let (mut batch, after) = (Batch::default(), self.target.note.position);
        each_hashed(self.source, after, end, |link, hash| -> Result<(), CopyError> {
            self.chain.add_hash(hash);
            batch.push(link);
            if batch.is_full() {
                self.events += self.target.receive_batch(&mut batch, self.chain)?;
                if !goes_on(&so_far(self.log_id, self.events, &self.target.note)) {
                    return Err(CopyError::Stopped);
                }
            }
            Ok(())
        })?;
        self.events += self.target.receive_batch(&mut batch, self.chain)?;
        Ok(())
    }

    /// Whether the target has what it was given, to the character.
    fn compare(&mut self) -> Result<(), CopyError> {
        let (after, mut chain) = self.read_back;
        each_hashed(self.target.conn, after, Position::END, |_, hash| -> Result<(), CopyError> {
            chain.add_hash(hash);
            Ok(())
        })?;
        let up_to = self.target.note.position;
        if chain != self.chain {
            let difference = first_difference(self.source, self.target.conn, after, up_to)?;
            return Err(difference.map_or(CopyError::Diverged { position: up_to }, CopyError::Differs));
        }
        self.read_back = (up_to, chain);
        Ok(())
    }

    /// All at once the first time, then with each batch.
    fn have_heads(&mut self) -> Result<(), CopyError> {
        let Some(copied) = self.target.note.copied().filter(|copied| !copied.has_heads).cloned() else {
            return Ok(());
        };
        self.target.conn.database().repair()?;
        let next = self.target.note.with_move(Move { has_heads: true, ..copied });
        Ok(self.target.move_on(next, |_| Ok(()))?)
    }

    /// Whether the source is frozen for this copy.
    pub(super) fn is_switching(&mut self) -> Result<bool, CopyError> {
        match self.source.database().log_row()?.closed() {
            Some(closed) if move_of(closed.note()) == Some(self.id()) => Ok(true),
            Some(closed) => Err(CopyError::SourceClosed(closed)),
            None => Ok(false),
        }
    }

    pub(super) fn id(&self) -> String {
        self.target.note.copied().map(|copied| copied.id.clone()).unwrap_or_default()
    }

    pub(super) fn copied(&self) -> Copied {
        so_far(self.log_id, self.events, &self.target.note)
    }
}

fn so_far(log_id: Uuid, events: u64, note: &Note) -> Copied {
    Copied { log_id, events, last_position: note.position, closed_for: Duration::ZERO }
}

/// A copy that was abandoned is wanted again. What the target has of projections that are built again from the
/// first event is forgotten: what it had before, and what an earlier attempt has brought.
fn take_up<T: EventConnection + ?Sized>(
    target: &mut Receiver<'_, T>,
    plan: &CopyPlan,
) -> Result<(), CopyError> {
    let rebuilt = plan.projections.iter().filter(|carried| carried.fate == Fate::Rebuilt);
    let known = |id: &&ProjectionId| target.note.is_earlier(id) || target.note.has_brought(id);
    let rebuilt: Vec<_> = rebuilt.map(|carried| &carried.id).filter(known).cloned().collect();
    let next = target.note.wanted().without(&rebuilt);
    if next == target.note {
        return Ok(());
    }
    Ok(target.move_on(next, |conn| forget_projections(conn, &rebuilt))?)
}

/// A log that has moved away comes back.
fn receive_again<'c, T>(
    target: &'c mut T,
    frozen: &str,
    note: Note,
    patience: Duration,
) -> Result<Receiver<'c, T>, CopyError>
where
    T: EventConnection + ?Sized,
{
    let partitions = target.database().every_partition()?;
    let note = note.with_earlier(ids(&partitions).into_iter());
    match patiently(target, patience, |target| Ok(target.database().close_again(frozen, &note.text())?))? {
        true => Ok(Receiver::resume(target, note)?),
        false => Err(CopyError::Overtaken),
    }
}
