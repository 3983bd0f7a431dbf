use std::io::{self, BufRead, Read};
use std::iter;

use chrono::Utc;

use super::error::ImportError;
use super::header::{Content, Header};
use super::item::{Item, Line};
use super::line_reader::LineReader;
use super::parsed_line::ParsedLine;
use crate::line::chain::Chain;
use crate::model::event::RecordedEvent;
use crate::model::position::Position;
use crate::operate::helpers::beside;

/// Read at once: some hundred lines.
const BYTES: u64 = 256 << 10;
/// As many as an import writes at once, so that the next ones are parsed meanwhile.
const AHEAD: usize = 16;
/// To parse a line takes longer than to read it from the file.
const THREADS: usize = 2;

/// A file whose first line has been read.
pub(super) struct LogFile<R> {
    input: R,
    pub(super) header: Header,
    reader: LineReader,
}

/// A file that was read to its end and is whole.
pub(super) struct WholeFile {
    pub(super) header: Header,
    /// Of all events.
    pub(super) chain: Chain,
    pub(super) last_position: Position,
}

impl<R: BufRead> LogFile<R> {
    /// One that has to hold this.
    pub(super) fn open(mut input: R, content: Content) -> Result<Self, ImportError> {
        let mut line = Vec::new();
        input.read_until(b'\n', &mut line)?;
        let (header, reader) = LineReader::begin(&line, content).map_err(|problem| problem.at(1))?;
        Ok(Self { input, header, reader })
    }

    /// Every line but the trailer, which has to fit them. Other threads parse and hash them.
    pub(super) fn each<E: From<ImportError>>(
        self,
        mut visit: impl FnMut(Line) -> Result<(), E>,
    ) -> Result<WholeFile, E> {
        let Self { mut input, header, mut reader } = self;
        // Above any that a worker of the source holds, which may be pointed at this database and go on.
        let first_token = Utc::now().timestamp_millis();
        let parse = move |text: Vec<u8>| ParsedLine::parse_all(&text, first_token);
        let mut visit_all = |lines: Vec<ParsedLine>| -> Result<(), E> {
            lines.into_iter().try_for_each(|line| reader.read(line)?.map_or(Ok(()), &mut visit))
        };
        beside(vec![parse; THREADS], AHEAD, |helpers| -> Result<(), E> {
            let read = loop {
                let (text, read) = some_lines(&mut input);
                let is_end = text.is_empty() || read.is_err();
                helpers.give(text).map_or(Ok(()), &mut visit_all)?;
                if is_end {
                    break read;
                }
            };
            // What was read before the file broke off counts.
            iter::from_fn(|| helpers.take()).try_for_each(visit_all)?;
            Ok(read.map_err(ImportError::from)?)
        })?;
        let (chain, last_position) = reader.end()?;
        Ok(WholeFile { header, chain, last_position })
    }

    /// With the number of its line.
    pub(super) fn each_event<E: From<ImportError>>(
        self,
        mut visit: impl FnMut(u64, &RecordedEvent) -> Result<(), E>,
    ) -> Result<WholeFile, E> {
        self.each(|line| match line.item {
            Item::Event(event) => visit(line.number, &event),
            _ => Ok(()),
        })
    }
}

/// None at the end of the file, and whole ones before an error.
fn some_lines(input: &mut impl BufRead) -> (Vec<u8>, io::Result<()>) {
    let mut text = Vec::new();
    let mut read = input.by_ref().take(BYTES).read_to_end(&mut text);
    if read.is_ok() && !text.ends_with(b"\n") {
        read = input.read_until(b'\n', &mut text);
    }
    if read.is_err() {
        text.truncate(memchr::memrchr(b'\n', &text).map_or(0, |at| at + 1));
    }
    (text, read.map(drop))
}
