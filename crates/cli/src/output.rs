use std::io::{self, BufWriter, Stdout, Write};

use serde::Serialize;
use serde_json::json;

use crate::failure::{Failure, Result};

/// Where answers go: for people, or an object of JSON per line.
pub struct Output {
    pub is_json: bool,
    out: BufWriter<Stdout>,
}

impl Output {
    pub fn new(is_json: bool) -> Self {
        Self { is_json, out: BufWriter::new(io::stdout()) }
    }

    /// A line of text for people.
    pub fn text(&mut self, line: impl AsRef<str>) -> Result {
        Ok(writeln!(self.out, "{}", line.as_ref())?)
    }

    /// A line for programs.
    pub fn object(&mut self, object: &impl Serialize) -> Result {
        let line = serde_json::to_string(object).map_err(io::Error::from)?;
        self.text(line)
    }

    /// The one or the other.
    pub fn answer(&mut self, object: &impl Serialize, text: impl AsRef<str>) -> Result {
        if self.is_json { self.object(object) } else { self.text(text) }
    }

    /// Rows whose columns stand below each other.
    pub fn table(&mut self, rows: &[Vec<String>]) -> Result {
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
        self.aside(format!("error: {message}"));
        if let Some(advice) = advice {
            self.aside(format!("  {advice}"));
        }
    }

    /// To standard error, if anybody reads that.
    pub fn aside(&self, line: impl AsRef<str>) {
        let _ = writeln!(io::stderr(), "{}", line.as_ref());
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
