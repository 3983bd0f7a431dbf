use serde::Deserialize;
use uuid::Uuid;

use super::encode::compare;
use super::error::FileProblem;
use super::values::{check_room, read_id};
use crate::line::chain::Chain;
use crate::line::object::Object;
use crate::model::position::Position;

const FORMAT: u32 = 1;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A whole log.
    Log,
    /// Whole streams of one.
    Archive,
}

impl Content {
    fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Archive => "archive",
        }
    }
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) content: Content,
    pub(super) log_id: Uuid,
    /// Up to where the log was complete.
    pub(super) end: Position,
}

/// What the first line of every format says.
#[derive(Deserialize)]
struct Kind {
    diesel_event_store: String,
    format: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderLine {
    #[serde(rename = "diesel_event_store")]
    _diesel_event_store: String,
    #[serde(rename = "format")]
    _format: u32,
    log_id: String,
    after: i64,
    end: Position,
    chain: String,
}

impl Header {
    pub(super) fn write(&self, line: &mut Vec<u8>) {
        let mut object = Object::begin(line);
        object.field("diesel_event_store", self.content.name());
        object.field("format", &FORMAT);
        object.field("log_id", &self.log_id.to_string());
        object.field("after", &0);
        object.field("end", &self.end.get());
        object.field("chain", &Chain::of_log(self.log_id).text());
        object.end();
    }

    /// Of a file that has to hold this.
    pub(super) fn read(text: &str, content: Content) -> Result<Self, FileProblem> {
        let Kind { diesel_event_store, format } =
            serde_json::from_str(text).map_err(|_| FileProblem::NotALog)?;
        let known = [Content::Log, Content::Archive];
        let found = known.into_iter().find(|known| known.name() == diesel_event_store);
        match found.ok_or(FileProblem::NotALog)? {
            found if found == content => {}
            Content::Archive => return Err(FileProblem::Archive),
            Content::Log => return Err(FileProblem::NotAnArchive),
        }
        if format != FORMAT {
            return Err(FileProblem::Format { format });
        }
        let line: HeaderLine = serde_json::from_str(text)?;
        if line.after != 0 {
            return Err(FileProblem::Continues { after: line.after });
        }
        let log_id = read_id("log_id", &line.log_id)?;
        if line.chain != Chain::of_log(log_id).text() {
            return Err(FileProblem::Altered);
        }
        let header = Self { content, log_id, end: line.end };
        check_room("end", header.end)?;
        let mut written = Vec::new();
        header.write(&mut written);
        compare(text, &written).map(|()| header)
    }
}
