use serde::Deserialize;

use super::encode::{compare, of_kind};
use super::error::FileProblem;
use crate::model::position::Position;

/// What the last line begins with.
pub(super) const BEGINNING: &str = "{\"end\":";

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trailer {
    pub(super) events: u64,
    pub(super) last_position: Position,
    pub(super) chain: String,
    pub(super) rest: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrailerLine {
    end: Trailer,
}

impl Trailer {
    pub(super) fn read(line: &str) -> Result<Self, FileProblem> {
        let TrailerLine { end } = serde_json::from_str(line)?;
        let mut written = Vec::new();
        end.write(&mut written);
        compare(line, &written).map(|()| end)
    }

    pub(super) fn write(&self, line: &mut Vec<u8>) {
        of_kind(line, "end", |object| {
            object.field("events", &self.events);
            object.field("last_position", &self.last_position.get());
            object.field("chain", &self.chain);
            object.field("rest", &self.rest);
        });
    }

    /// Whether it says the same of a file as these lines do.
    pub(super) fn compare(&self, found: &Self) -> Result<(), FileProblem> {
        let fields = [
            ("events", self.events.to_string(), found.events.to_string()),
            ("last_position", self.last_position.to_string(), found.last_position.to_string()),
            ("chain", self.chain.clone(), found.chain.clone()),
            ("rest", self.rest.clone(), found.rest.clone()),
        ];
        match fields.into_iter().find(|(_, expected, found)| expected != found) {
            Some((field, expected, found)) => Err(FileProblem::Trailer { field, expected, found }),
            None => Ok(()),
        }
    }
}
