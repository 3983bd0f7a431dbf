use super::chain::Rest;
use super::error::{FileProblem, ImportError};
use super::event_line;
use super::header::{Content, Header};
use super::item::{Item, Line, Place};
use super::parsed_line::{ParsedLine, complete};
use super::trailer::Trailer;
use crate::line::chain::Chain;
use crate::model::position::Position;

/// Compares each line of a file with what the ones before it, and its hashes, say.
pub(super) struct LineReader {
    /// Of the line that was read last, counted from 1.
    number: u64,
    /// Up to where positions may be.
    end: Position,
    chain: Chain,
    rest: Rest,
    events: u64,
    last_position: Position,
    /// Of the line that was read last.
    place: Option<Place>,
    /// The trailer was read.
    is_whole: bool,
}

impl LineReader {
    /// Reads the first line of a file that has to hold this.
    pub(super) fn begin(line: &[u8], content: Content) -> Result<(Header, Self), FileProblem> {
        let line = match line {
            [] => return Err(FileProblem::NotALog),
            line => complete(line)?,
        };
        let header = Header::read(line, content)?;
        let mut rest = Rest::default();
        rest.add(line.as_bytes());
        let reader = Self {
            number: 1,
            end: header.end,
            chain: Chain::of_log(header.log_id),
            rest,
            events: 0,
            last_position: Position::START,
            place: None,
            is_whole: false,
        };
        Ok((header, reader))
    }

    /// The next line; nothing if it is the trailer.
    pub(super) fn read(&mut self, line: ParsedLine) -> Result<Option<Line>, ImportError> {
        self.number += 1;
        let item = self.check(line).map_err(|problem| problem.at(self.number))?;
        Ok(item.map(|item| Line { number: self.number, item, chain: self.chain }))
    }

    /// At the end of the file. Its chain, and the position of the last event.
    pub(super) fn end(self) -> Result<(Chain, Position), ImportError> {
        match self.is_whole {
            true => Ok((self.chain, self.last_position)),
            false => Err(FileProblem::Cut.at(self.number + 1)),
        }
    }

    fn check(&mut self, line: ParsedLine) -> Result<Option<Item>, FileProblem> {
        if self.is_whole {
            return Err(FileProblem::AfterTrailer);
        }
        let item = match line {
            ParsedLine::Event { hash, check, event } => {
                self.chain.add_hash(hash);
                if check.as_ref().map(|check| &check[..]) != Some(self.chain.check().as_bytes()) {
                    return Err(FileProblem::Altered);
                }
                self.events += 1;
                event?
            }
            ParsedLine::Gone(hash, text, item) => {
                self.chain.add_hash(hash);
                self.rest.add(text.as_bytes());
                item
            }
            ParsedLine::Other(text, item) => {
                let (checked, check) = event_line::split(&text);
                if check != self.rest.check(checked.as_bytes()) {
                    return Err(FileProblem::Altered);
                }
                self.rest.add(text.as_bytes());
                item
            }
            ParsedLine::Trailer(trailer) => return self.compare(&trailer).map(|()| None),
            ParsedLine::Wrong(problem) => return Err(problem),
        };
        self.follow(&item)?;
        Ok(Some(item))
    }

    /// Whether it may come here.
    fn follow(&mut self, item: &Item) -> Result<(), FileProblem> {
        let place = item.place();
        if self.place.as_ref() >= Some(&place) {
            return Err(FileProblem::Order { what: place.name() });
        }
        if let Place::Event(position) = place {
            if position > self.end {
                return Err(FileProblem::Order { what: place.name() });
            }
            self.last_position = position;
        }
        self.place = Some(place);
        Ok(())
    }

    fn compare(&mut self, trailer: &Trailer) -> Result<(), FileProblem> {
        self.is_whole = true;
        trailer.compare(&Trailer {
            events: self.events,
            last_position: self.last_position,
            chain: self.chain.text(),
            rest: self.rest.clone().text(),
        })
    }
}
