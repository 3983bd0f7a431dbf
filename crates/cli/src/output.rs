use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use anstream::{AutoStream, ColorChoice};
use serde::Serialize;
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::line::{Line, legible};

/// Where answers go: for people, or an object of JSON per line.
pub struct Output {
    pub is_json: bool,
    has_colour: bool,
    out: BufWriter<Stdout>,
}

impl Output {
    pub fn new(is_json: bool) -> Self {
        let out = io::stdout();
        let has_colour = !is_json && out.is_terminal() && AutoStream::choice(&out) != ColorChoice::Never;
        Self { is_json, has_colour, out: BufWriter::new(out) }
    }

    /// A line of text for people.
    pub fn text(&mut self, line: impl Into<Line>) -> Result {
        Ok(writeln!(self.out, "{}", line.into().text(self.has_colour))?)
    }

    /// A line for programs.
    pub fn object(&mut self, object: &impl Serialize) -> Result {
        serde_json::to_writer(&mut self.out, object).map_err(io::Error::from)?;
        Ok(writeln!(self.out)?)
    }

    /// The one or the other.
    pub fn answer(&mut self, object: &impl Serialize, text: impl Into<Line>) -> Result {
        if self.is_json { self.object(object) } else { self.text(text) }
    }

    /// Rows whose columns stand below each other.
    pub fn table(&mut self, rows: &[Vec<String>]) -> Result {
        let legible = |cell: &String| legible(cell).into_owned();
        let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(legible).collect()).collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell)).max().unwrap_or(0))
            .collect();
        for row in rows {
            let cells = row
                .iter()
                .zip(&widths)
                .map(|(cell, &widest)| format!("{cell}{}", " ".repeat(widest - width(cell))));
            self.text(cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }

    pub fn flush(&mut self) -> Result {
        Ok(self.out.flush()?)
    }

    /// To standard error, so that answers stay answers.
    pub fn failure(&mut self, failure: &Failure) {
        let _ = self.out.flush(); // the failure matters more
        let (code, message, advice) = (failure.code(), failure.to_string(), failure.advice_text());
        if self.is_json {
            let error = json!({ "error": { "code": code, "message": message, "advice": advice } });
            return self.aside(error.to_string());
        }
        self.aside(Line::default().wrong("error:").plain(format!(" {message}")));
        if let Some(advice) = advice {
            self.aside(Line::default().dim(format!("  {advice}")));
        }
    }

    /// To standard error, if anybody reads that.
    pub fn aside(&self, line: impl Into<Line>) {
        let mut err = io::stderr();
        let has_colour = err.is_terminal() && AutoStream::choice(&err) != ColorChoice::Never;
        let _ = writeln!(err, "{}", line.into().text(has_colour));
    }
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

/// 1 event, 8,577 events.
pub fn counted(count: impl Into<i128>, noun: &str) -> String {
    let count = count.into();
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", number(count))
}

/// With commas: 8,577.
pub fn number(number: impl Into<i128>) -> String {
    let number = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
