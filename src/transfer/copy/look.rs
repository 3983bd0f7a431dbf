//! How two logs stand to each other.

use uuid::Uuid;

use super::error::CopyError;
use super::options::CopyOptions;
use super::plan::{CarriedProjection, CopyPlan, Fate};
use crate::line::chain::Chain;
use crate::model::log_state::LogState;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::operate::note::move_of;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::error::DatabaseError;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::log_state::LogRow;
use crate::transfer::chain::chain_of;
use crate::transfer::note::Note;
use crate::transfer::projections::ids;

/// Of archived events, read at once.
const POSITIONS: i64 = 10_000;

/// From where the copy goes on.
pub(super) enum Way {
    /// The log has moved.
    Done,
    /// The target has no events.
    Begin,
    /// The target is on the way.
    GoOn(Note),
    /// The log moves back. The note is that of the frozen target.
    Back(String),
}

/// What is in a target.
struct Target {
    row: LogRow,
    last: Position,
    projections: Vec<ProjectionId>,
}

pub(super) fn look<S, T>(
    source: &mut S,
    target: &mut T,
    options: &CopyOptions,
) -> Result<(CopyPlan, Way, Chain), CopyError>
where
    S: EventConnection + ?Sized,
    T: EventConnection + ?Sized,
{
    let row = source.database().log_row()?;
    let there = read_target(target)?;
    let way = way(&row, there.as_ref())?;
    let log_id = row.log_id;
    let after = match (&way, &there) {
        (Way::Begin, _) | (_, None) => Position::START,
        (Way::GoOn(note), _) => note.position,
        (Way::Done, _) => source.database().last_committed_position()?,
        (Way::Back(_), Some(there)) => there.last,
    };
    let chain = refuse_diverged(source, target, &way, (log_id, after))?;
    if matches!(way, Way::GoOn(_) | Way::Back(_)) {
        refuse_archived(source, target, after)?;
    }
    let mut known = there.map(|there| there.projections).unwrap_or_default();
    match &way {
        Way::GoOn(note) => known.retain(|id| {
            let begins_anew = note.is_earlier(id) && options.rebuilds(&id.name);
            !begins_anew && !note.has_brought(id)
        }),
        Way::Back(_) => known.retain(|id| !options.rebuilds(&id.name)),
        Way::Done | Way::Begin => {}
    }
    let projections = carried(source, options, &known)?;
    let end = source.database().last_position()?;
    let is_done = matches!(way, Way::Done);
    Ok((CopyPlan { log_id, after, end, is_done, projections }, way, chain))
}

/// None if it has no tables.
fn read_target<T: EventConnection + ?Sized>(target: &mut T) -> Result<Option<Target>, DatabaseError> {
    let row = match target.database().log_row().map_err(DatabaseError::from) {
        Err(error) if error.kind() == DatabaseErrorKind::NotMigrated => return Ok(None),
        row => row?,
    };
    let last = target.database().last_committed_position()?;
    let partitions = target.database().every_partition()?;
    Ok(Some(Target { row, last, projections: ids(&partitions).into_iter().cloned().collect() }))
}

fn way(source: &LogRow, target: Option<&Target>) -> Result<Way, CopyError> {
    let moved = moved(source)?;
    let source_closed = || CopyError::SourceClosed(source.clone().closed().expect("it is frozen"));
    let Some(target) = target else {
        return if moved.is_none() { Ok(Way::Begin) } else { Err(source_closed()) };
    };
    let (has_same_id, is_empty) = (target.row.log_id == source.log_id, target.last == Position::START);
    match (target.row.state, moved) {
        (LogState::Receiving, moved) => {
            let note = note_of_copy(&target.row, source.log_id)?;
            let is_other = moved.is_some_and(|id| note.copied().map(|copied| &copied.id) != Some(&id));
            if is_other { Err(source_closed()) } else { Ok(Way::GoOn(note)) }
        }
        (LogState::Open, Some(_)) if has_same_id => Ok(Way::Done),
        (_, Some(_)) => Err(source_closed()),
        (LogState::Open, None) if has_same_id => Err(CopyError::SameLog),
        (LogState::Open, None) if is_empty => Ok(Way::Begin),
        (LogState::Open, None) => Err(CopyError::TargetInUse),
        (LogState::Frozen, None) if has_same_id => Ok(Way::Back(target.row.note.clone().unwrap_or_default())),
        (LogState::Frozen, None) => {
            Err(CopyError::TargetClosed(target.row.clone().closed().expect("it is frozen")))
        }
    }
}

/// The id of the move for which the source is frozen; `None` if it is open.
fn moved(source: &LogRow) -> Result<Option<String>, CopyError> {
    let Some(closed) = source.clone().closed() else { return Ok(None) };
    match closed.state() {
        LogState::Frozen => match move_of(closed.note()) {
            Some(id) => Ok(Some(id)),
            None => Err(CopyError::SourceClosed(closed)),
        },
        _ => Err(CopyError::SourceClosed(closed)),
    }
}

/// That of a copy of this log.
pub(super) fn note_of_copy(target: &LogRow, log_id: Uuid) -> Result<Note, CopyError> {
    let text = target.note.clone().unwrap_or_default();
    let note = Note::read(&text).filter(|note| target.log_id == log_id && note.copied().is_some());
    note.ok_or(CopyError::OtherCopy { note: text })
}

/// The source has what the target has, up to a position: returns its chain there.
fn refuse_diverged<S, T>(
    source: &mut S,
    target: &mut T,
    way: &Way,
    (log_id, position): (Uuid, Position),
) -> Result<Chain, CopyError>
where
    S: EventConnection + ?Sized,
    T: EventConnection + ?Sized,
{
    let there = match way {
        Way::Begin => Chain::of_log(log_id).text(),
        Way::GoOn(note) => note.chain.clone(),
        Way::Done | Way::Back(_) => chain_of(target, log_id, position)?.text(),
    };
    let here = chain_of(source, log_id, position)?;
    if here.text() == there { Ok(here) } else { Err(CopyError::Diverged { position }) }
}

/// Events that only one of the two has archived. What is left of an event is as good as the event for the
/// chain, so nothing else tells.
pub(super) fn refuse_archived<S, T>(source: &mut S, target: &mut T, up_to: Position) -> Result<(), CopyError>
where
    S: EventConnection + ?Sized,
    T: EventConnection + ?Sized,
{
    let mut after = Position::START;
    loop {
        let here = source.database().archived_positions(after, up_to, POSITIONS)?;
        let there = target.database().archived_positions(after, up_to, POSITIONS)?;
        if let Some(position) = first_in_one(&here, &there) {
            return Err(CopyError::ArchivedSince { position });
        }
        let Some(last) = here.last() else { return Ok(()) };
        after = *last;
    }
}

/// Of two lists in their order.
fn first_in_one(here: &[Position], there: &[Position]) -> Option<Position> {
    let equal = here.iter().zip(there).take_while(|(here, there)| here == there).count();
    here.get(equal).into_iter().chain(there.get(equal)).min().copied()
}

/// What becomes of each projection of the source; `known` are those of the target.
pub(super) fn carried<S: EventConnection + ?Sized>(
    source: &mut S,
    options: &CopyOptions,
    known: &[ProjectionId],
) -> Result<Vec<CarriedProjection>, CopyError> {
    if let Some(projection) = options.contradicted() {
        return Err(CopyError::Contradiction { projection: projection.clone() });
    }
    let partitions = source.database().every_partition()?;
    let ids = ids(&partitions);
    if let Some(unknown) = options.named().find(|name| ids.iter().all(|id| id.name != **name)) {
        return Err(CopyError::UnknownProjection { projection: unknown.clone() });
    }
    let fate = |id: &ProjectionId| match () {
        () if options.keeps(&id.name) => Fate::Kept,
        () if known.contains(id) => Fate::Stays,
        () if options.rebuilds(&id.name) => Fate::Rebuilt,
        () => Fate::Undecided,
    };
    Ok(ids.into_iter().map(|id| CarriedProjection { id: id.clone(), fate: fate(id) }).collect())
}
