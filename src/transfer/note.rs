use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::line::chain::Chain;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;

/// How far an import or a copy has come: what stands in the log that receives it. It is moved with each
/// batch, and only from where this process has left it, so that a second one cannot be beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    #[serde(flatten)]
    origin: Origin,
    pub(super) position: Position,
    /// Behind that position.
    pub(super) chain: String,
    /// Whether there is everything else, too, as it was then.
    pub(super) is_complete: bool,
    /// The projections whose checkpoints were brought.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    brought: Names,
    /// The projections whose checkpoints the target has had since before the copy began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    earlier: Names,
}

/// Of projections, with their versions.
type Names = Vec<(String, i32)>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Origin {
    /// A file: when the import has begun.
    Import(String),
    /// A log in another database.
    Copy(Move),
    /// None any more: since when it is taken back.
    Discard(String),
}

/// A log on its way from one database to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Move {
    /// Stands in the source, too, once it is frozen.
    pub(super) id: String,
    /// The target had the events up to here before.
    pub(super) had: Position,
    /// Whether the heads of the target agree with its events.
    pub(super) has_heads: bool,
    /// The source goes on by itself.
    pub(super) is_abandoned: bool,
}

impl Move {
    fn begin(had: Position) -> Self {
        // A log that had events has their heads.
        let has_heads = had > Position::START;
        Self { id: Uuid::now_v7().to_string(), had, has_heads, is_abandoned: false }
    }
}

impl Note {
    pub(super) fn of_import(chain: Chain) -> Self {
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        Self::new(Origin::Import(now), Position::START, chain.text())
    }

    /// Nothing goes on from here but the same again.
    pub(super) fn of_discard() -> Self {
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
        Self::new(Origin::Discard(now), Position::START, String::new())
    }

    /// `chain` is behind the events that the target has.
    pub(super) fn of_copy(had: Position, chain: Chain) -> Self {
        Self::new(Origin::Copy(Move::begin(had)), had, chain.text())
    }

    fn new(origin: Origin, position: Position, chain: String) -> Self {
        Self { origin, position, chain, is_complete: false, brought: Vec::new(), earlier: Vec::new() }
    }

    /// What goes along with the events has changed as well.
    pub(super) fn at(&self, position: Position, chain: Chain) -> Self {
        Self { position, chain: chain.text(), ..self.incomplete() }
    }

    pub(super) fn complete<'p>(&self, projections: impl Iterator<Item = &'p ProjectionId>) -> Self {
        Self { is_complete: true, brought: projections.map(name).collect(), ..self.clone() }
    }

    /// What goes along with the events is to be brought once more.
    pub(super) fn incomplete(&self) -> Self {
        Self { is_complete: false, ..self.clone() }
    }

    pub(super) fn brought(&self) -> Vec<ProjectionId> {
        self.brought.iter().map(|(name, version)| ProjectionId::new(&**name, *version)).collect()
    }

    /// Whether its checkpoint was brought by an attempt that has not come to its end.
    pub(super) fn has_brought(&self, id: &ProjectionId) -> bool {
        self.brought.contains(&name(id))
    }

    pub(super) fn with_earlier<'p>(self, projections: impl Iterator<Item = &'p ProjectionId>) -> Self {
        Self { earlier: projections.map(name).collect(), ..self }
    }

    pub(super) fn is_earlier(&self, id: &ProjectionId) -> bool {
        self.earlier.contains(&name(id))
    }

    /// The target does not have the checkpoints of these any more.
    pub(super) fn without(mut self, projections: &[ProjectionId]) -> Self {
        let stays = |known: &(String, i32)| projections.iter().all(|id| name(id) != *known);
        self.brought.retain(stays);
        self.earlier.retain(stays);
        self
    }

    /// Not abandoned.
    pub(super) fn wanted(&self) -> Self {
        match self.copied() {
            Some(copied) => self.with_move(Move { is_abandoned: false, ..copied.clone() }),
            None => self.clone(),
        }
    }

    pub(super) fn with_move(&self, copied: Move) -> Self {
        Self { origin: Origin::Copy(copied), ..self.clone() }
    }

    /// The move; `None` if it is not one.
    pub(super) fn copied(&self) -> Option<&Move> {
        match &self.origin {
            Origin::Copy(copied) => Some(copied),
            Origin::Import(_) | Origin::Discard(_) => None,
        }
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are always JSON")
    }

    /// None if it is the note of something else.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

fn name(id: &ProjectionId) -> (String, i32) {
    (id.name.clone(), id.version)
}
