use std::io::BufRead;

use chrono::Utc;
use serde::Deserialize;
use uuid::Uuid;

use super::chain::Rest;
use super::encode::of_kind;
use super::error::{FileProblem, ImportError};
use super::gone_line;
use super::item::{Item, Kind};
use super::lines::Lines;
use super::values::read_id;
use super::{event_line, rest_line};
use crate::line::chain::Chain;
use crate::line::object::Object;
use crate::model::position::Position;

pub(super) const FORMAT: u32 = 1;

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

const CHECK_BEGINS: &str = ",\"check\":\"";
/// With eight digits and what ends the line.
const CHECK_LENGTH: usize = CHECK_BEGINS.len() + 8 + "\"}".len();

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) content: Content,
    pub(super) log_id: Uuid,
    /// Up to where the log was complete.
    pub(super) end: Position,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderLine {
    diesel_event_store: String,
    format: u32,
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
    fn read(line: &str, content: Content) -> Result<Self, FileProblem> {
        let line: HeaderLine = serde_json::from_str(line).map_err(|_| FileProblem::NotALog)?;
        let known = [Content::Log, Content::Archive];
        let found = known.into_iter().find(|known| known.name() == line.diesel_event_store);
        match found.ok_or(FileProblem::NotALog)? {
            found if found == content => {}
            Content::Archive => return Err(FileProblem::Archive),
            Content::Log => return Err(FileProblem::NotAnArchive),
        }
        if line.format != FORMAT {
            return Err(FileProblem::Format { format: line.format });
        }
        if line.after != 0 {
            return Err(FileProblem::Continues { after: line.after });
        }
        let log_id = read_id("log_id", &line.log_id)?;
        let is_whole = line.chain == Chain::of_log(log_id).text();
        if is_whole { Ok(Self { content, log_id, end: line.end }) } else { Err(FileProblem::Altered) }
    }
}

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
    pub(super) fn write(&self, line: &mut Vec<u8>) {
        of_kind(line, "end", |object| {
            object.field("events", &self.events);
            object.field("last_position", &self.last_position.get());
            object.field("chain", &self.chain);
            object.field("rest", &self.rest);
        });
    }

    /// Whether it says the same of a file as these lines do.
    fn compare(&self, found: &Self) -> Result<(), FileProblem> {
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

/// Completes the line of an event.
pub(super) fn write_check(line: &mut Vec<u8>, chain: &mut Chain) {
    chain.add(line);
    line.extend_from_slice(CHECK_BEGINS.as_bytes());
    line.extend_from_slice(chain.check().as_bytes());
    line.extend_from_slice(b"\"}");
}

/// A file as it is read: every line is compared with what its hashes say.
pub(super) struct LogFile<R> {
    lines: Lines<R>,
    pub(super) header: Header,
    pub(super) chain: Chain,
    rest: Rest,
    events: u64,
    pub(super) last_position: Position,
    kind: Kind,
    first_token: i64,
}

impl<R: BufRead> LogFile<R> {
    /// Of a whole log.
    pub(super) fn open(input: R) -> Result<Self, ImportError> {
        Self::open_with(input, Content::Log)
    }

    pub(super) fn open_archive(input: R) -> Result<Self, ImportError> {
        Self::open_with(input, Content::Archive)
    }

    fn open_with(input: R, content: Content) -> Result<Self, ImportError> {
        let mut lines = Lines::new(input);
        let Some(line) = lines.next()? else { return Err(FileProblem::NotALog.at(1)) };
        let mut rest = Rest::default();
        rest.add(line.as_bytes());
        let header = Header::read(line, content).map_err(|problem| problem.at(1))?;
        Ok(Self {
            lines,
            chain: Chain::of_log(header.log_id),
            header,
            rest,
            events: 0,
            last_position: Position::START,
            kind: Kind::Stream,
            // Above any that a worker of the source holds, which may be pointed at this database and go on.
            first_token: Utc::now().timestamp_millis(),
        })
    }

    /// Of the line that was read last.
    pub(super) fn line(&self) -> u64 {
        self.lines.number
    }

    /// What the next line stands for; `None` once the trailer was read, and fits.
    pub(super) fn next(&mut self) -> Result<Option<Item>, ImportError> {
        let Some(line) = self.lines.next()? else { return Err(FileProblem::Cut.at(self.line())) };
        let item = if line.starts_with(event_line::BEGINNING) {
            read_event(line, &mut self.chain, &mut self.events)
        } else if line.starts_with(gone_line::BEGINNING) {
            gone_line::read(line).inspect(|leaf| self.chain.add_leaf(leaf)).map(Item::Gone)
        } else if line.starts_with("{\"end\":") {
            return self.end().map(|()| None);
        } else {
            self.rest.add(line.as_bytes());
            rest_line::read(line, self.first_token)
        };
        let number = self.lines.number;
        let item = item.map_err(|problem| problem.at(number))?;
        self.follow(&item).map_err(|problem| problem.at(number))?;
        Ok(Some(item))
    }

    /// Whether it may come here.
    fn follow(&mut self, item: &Item) -> Result<(), FileProblem> {
        let kind = item.kind();
        if kind < self.kind {
            return Err(FileProblem::Order { what: kind.name() });
        }
        self.kind = kind;
        let position = match item {
            Item::Event(event) => event.position,
            Item::Gone(leaf) => leaf.position,
            _ => return Ok(()),
        };
        if position <= self.last_position || position > self.header.end {
            return Err(FileProblem::Order { what: "the position" });
        }
        self.last_position = position;
        Ok(())
    }

    /// `self.lines` holds the trailer.
    fn end(&mut self) -> Result<(), ImportError> {
        let number = self.lines.number;
        let found = Trailer {
            events: self.events,
            last_position: self.last_position,
            chain: self.chain.text(),
            rest: self.rest.clone().text(),
        };
        let trailer: Result<TrailerLine, _> = serde_json::from_str(self.lines.current());
        let trailer = trailer.map_err(|error| FileProblem::from(error).at(number))?;
        trailer.end.compare(&found).map_err(|problem| problem.at(number))?;
        match self.lines.next()? {
            Some(_) => Err(FileProblem::AfterTrailer.at(number + 1)),
            None => Ok(()),
        }
    }
}

fn read_event(line: &str, chain: &mut Chain, events: &mut u64) -> Result<Item, FileProblem> {
    let at = line.len().saturating_sub(CHECK_LENGTH);
    let checked = line.as_bytes().get(..at).unwrap_or_default();
    chain.add(checked);
    let check = format!("{CHECK_BEGINS}{}\"}}", chain.check());
    if !line.ends_with(&check) {
        return Err(FileProblem::Altered);
    }
    *events += 1;
    event_line::read(line).map(|event| Item::Event(Box::new(event)))
}
