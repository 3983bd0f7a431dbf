use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::chain::Chain;
use crate::model::position::Position;

/// How far an import has come: what stands in the log that receives it. It is moved with each batch, and only
/// from where this import has left it, so that a second one cannot be beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// When the import has begun.
    import: String,
    pub(super) position: Position,
    /// Behind that position.
    pub(super) chain: String,
    /// Whether there is everything else, too.
    pub(super) is_complete: bool,
}

impl Note {
    pub(super) fn begin(chain: Chain) -> Self {
        Self {
            import: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
            position: Position::START,
            chain: chain.text(),
            is_complete: false,
        }
    }

    pub(super) fn at(&self, position: Position, chain: Chain) -> Self {
        Self { position, chain: chain.text(), ..self.clone() }
    }

    pub(super) fn complete(&self) -> Self {
        Self { is_complete: true, ..self.clone() }
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are always JSON")
    }

    /// None if it is the note of something else.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
