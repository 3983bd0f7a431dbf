use std::time::Duration;

use uuid::Uuid;

use super::copied::Copied;
use super::error::CopyError;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;

/// What a copy will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyPlan {
    pub(super) log_id: Uuid,
    pub(super) after: Position,
    pub(super) end: Position,
    pub(super) is_done: bool,
    pub(super) projections: Vec<CarriedProjection>,
}

impl CopyPlan {
    /// The id of the log.
    pub fn log_id(&self) -> Uuid {
        self.log_id
    }

    /// Up to here the target has the events already.
    pub fn after(&self) -> Position {
        self.after
    }

    /// Up to here the source is complete now.
    pub fn end(&self) -> Position {
        self.end
    }

    /// Whether the log has moved already: the target is open, and has everything that the source has.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// What becomes of each projection of the source.
    pub fn projections(&self) -> &[CarriedProjection] {
        &self.projections
    }

    /// The names of the projections that are neither kept nor rebuilt, so that the copy would be refused.
    pub fn undecided(&self) -> Vec<String> {
        undecided(&self.projections)
    }

    /// Of a log that has moved already.
    pub(super) fn done(&self) -> Copied {
        Copied { log_id: self.log_id, events: 0, last_position: self.end, closed_for: Duration::ZERO }
    }
}

/// A checkpoint never arrives without its read model, unless that is said.
pub(super) fn refuse_undecided(projections: &[CarriedProjection]) -> Result<(), CopyError> {
    let projections = undecided(projections);
    if projections.is_empty() { Ok(()) } else { Err(CopyError::Undecided { projections }) }
}

fn undecided(projections: &[CarriedProjection]) -> Vec<String> {
    let undecided = projections.iter().filter(|carried| carried.fate == Fate::Undecided);
    let mut names: Vec<_> = undecided.map(|carried| carried.id.name.clone()).collect();
    names.dedup();
    names
}

/// A projection of a log that moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedProjection {
    pub(super) id: ProjectionId,
    pub(super) fate: Fate,
}

impl CarriedProjection {
    /// Which version of which.
    pub fn id(&self) -> &ProjectionId {
        &self.id
    }

    /// What becomes of it.
    pub fn fate(&self) -> Fate {
        self.fate
    }
}

/// What becomes of a projection when its log moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// Its checkpoint moves along, as its read model does.
    Kept,
    /// Its checkpoint does not move along: it begins with the first event.
    Rebuilt,
    /// It has a checkpoint in the target already, and goes on from there.
    Stays,
    /// It is not said yet.
    Undecided,
}
