use std::mem;

use super::encode::compare;
use super::error::FileProblem;
use super::item::Item;
use super::trailer::{self, Trailer};
use super::{event_line, gone_line, rest_line};
use crate::line::chain::{LineHash, hash_of_leaf, hash_of_line};

/// A line by itself. Whether it fits the lines before it is not known yet.
pub(super) enum ParsedLine {
    Event {
        hash: LineHash,
        /// None if there is none.
        check: Option<[u8; 8]>,
        /// An error only matters where the check fits.
        event: Result<Item, FileProblem>,
    },
    Gone(LineHash, Box<str>, Item),
    Other(Box<str>, Item),
    Trailer(Trailer),
    Wrong(FileProblem),
}

impl ParsedLine {
    /// All lines of a part of a file. `first_token` is for those that stand for a projection.
    pub(super) fn parse_all(text: &[u8], first_token: i64) -> Vec<Self> {
        let (mut begin, mut written) = (0, Vec::new());
        let ends = memchr::memchr_iter(b'\n', text).map(|at| at + 1).chain([text.len()]);
        ends.map(|end| &text[mem::replace(&mut begin, end)..end])
            .filter(|line| !line.is_empty())
            .map(|line| Self::parse(line, first_token, &mut written).unwrap_or_else(Self::Wrong))
            .collect()
    }

    /// `written` is room that is used again.
    fn parse(line: &[u8], first_token: i64, written: &mut Vec<u8>) -> Result<Self, FileProblem> {
        let line = complete(line)?;
        if line.starts_with(event_line::BEGINNING) {
            Ok(Self::parse_event(line, written))
        } else if line.starts_with(gone_line::BEGINNING) {
            let leaf = gone_line::read(line)?;
            Ok(Self::Gone(hash_of_leaf(&leaf), line.into(), Item::Gone(leaf)))
        } else if line.starts_with(trailer::BEGINNING) {
            Trailer::read(line).map(Self::Trailer)
        } else {
            rest_line::read(line, first_token).map(|item| Self::Other(line.into(), item))
        }
    }

    fn parse_event(line: &str, written: &mut Vec<u8>) -> Self {
        let (checked, check) = event_line::split(line);
        let (hash, check) = (hash_of_line(checked.as_bytes()), check.as_bytes().try_into().ok());
        let event = event_line::read(line).and_then(|event| {
            written.clear();
            crate::line::event_line::write(written, &event);
            compare(checked, written).map(|()| Item::Event(Box::new(event)))
        });
        Self::Event { hash, check, event }
    }
}

/// A last line without its end is taken for cut.
pub(super) fn complete(line: &[u8]) -> Result<&str, FileProblem> {
    let line = line.strip_suffix(b"\n").ok_or(FileProblem::Cut)?;
    std::str::from_utf8(line).map_err(FileProblem::malformed)
}
