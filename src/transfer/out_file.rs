use std::io::{BufWriter, Write};

use super::chain::Rest;
use super::error::ExportError;
use super::event_line::write_check;
use super::event_lines::EventLines;
use super::exported::Exported;
use super::header::Header;
use super::trailer::Trailer;
use crate::line::chain::Chain;
use crate::model::position::Position;

/// A file that is being written.
pub(super) struct OutFile<W: Write> {
    out: BufWriter<W>,
    header: Header,
    line: Vec<u8>,
    pub(super) chain: Chain,
    rest: Rest,
    events: u64,
    last_position: Position,
}

impl<W: Write> OutFile<W> {
    pub(super) fn begin(out: W, header: Header) -> Result<Self, ExportError> {
        let mut file = Self {
            out: BufWriter::new(out),
            line: Vec::new(),
            chain: Chain::of_log(header.log_id),
            rest: Rest::default(),
            events: 0,
            last_position: Position::START,
            header: header.clone(),
        };
        header.write(&mut file.line);
        file.rest.add(&file.line);
        file.write_line()?;
        Ok(file)
    }

    /// What comes next of the log.
    pub(super) fn lines(&mut self, lines: &EventLines) -> Result<(), ExportError> {
        self.chain = lines.chain;
        lines
            .gone
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .for_each(|line| self.rest.add(line));
        self.events += lines.events;
        self.last_position = lines.last_position.unwrap_or(self.last_position);
        Ok(self.out.write_all(&lines.text)?)
    }

    /// A line that is in no chain.
    pub(super) fn other(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), ExportError> {
        self.line.clear();
        write(&mut self.line);
        self.line.pop();
        let check = self.rest.check(&self.line);
        write_check(&mut self.line, &check);
        self.rest.add(&self.line);
        self.write_line()
    }

    fn write_line(&mut self) -> Result<(), ExportError> {
        self.line.push(b'\n');
        Ok(self.out.write_all(&self.line)?)
    }

    pub(super) fn end(mut self) -> Result<Exported, ExportError> {
        let (events, chain) = (self.events, self.chain.text());
        let rest = self.rest.clone().text();
        let trailer = Trailer { events, last_position: self.last_position, chain: chain.clone(), rest };
        self.line.clear();
        trailer.write(&mut self.line);
        self.write_line()?;
        self.out.flush()?;
        Ok(Exported { log_id: self.header.log_id, events, end: self.header.end, chain })
    }
}
