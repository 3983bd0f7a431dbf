use std::io::BufRead;

use super::error::{FileProblem, ImportError};

/// A file line by line. A last line without its end is taken for cut.
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    /// Of the line that was read last, counted from 1.
    pub(super) number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: Vec::new(), number: 0 }
    }

    /// The line that was read last.
    pub(super) fn current(&self) -> &str {
        std::str::from_utf8(&self.line).unwrap_or_default().trim_end_matches('\n')
    }

    /// The next line, without its end; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<&str>, ImportError> {
        self.line.clear();
        self.input.read_until(b'\n', &mut self.line)?;
        self.number += 1;
        match self.line.split_last() {
            None => Ok(None),
            Some((b'\n', line)) => {
                let text = std::str::from_utf8(line);
                text.map(Some).map_err(|error| FileProblem::malformed(error).at(self.number))
            }
            Some(_) => Err(FileProblem::Cut.at(self.number)),
        }
    }
}
