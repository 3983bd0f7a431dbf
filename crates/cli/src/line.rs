use std::borrow::Cow;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};

const WRONG: Style = AnsiColor::Red.on_default().bold();
const FOUND: Style = AnsiColor::Yellow.on_default();
const DIM: Style = Style::new().dimmed();

/// What people read, in parts, some of which stand out on a terminal.
#[derive(Debug, Default)]
pub struct Line(Vec<(Style, String)>);

impl Line {
    pub fn plain(self, text: impl Into<String>) -> Self {
        self.with(Style::new(), text)
    }

    /// Why something has failed.
    pub fn wrong(self, text: impl Into<String>) -> Self {
        self.with(WRONG, text)
    }

    /// What was found that is not as it should be.
    pub fn found(self, text: impl Into<String>) -> Self {
        self.with(FOUND, text)
    }

    /// What is looked at less often.
    pub fn dim(self, text: impl Into<String>) -> Self {
        self.with(DIM, text)
    }

    fn with(mut self, style: Style, text: impl Into<String>) -> Self {
        self.0.push((style, text.into()));
        self
    }

    pub fn text(&self, has_colour: bool) -> String {
        self.0.iter().fold(String::new(), |shown, (style, text)| match (has_colour, legible(text)) {
            (true, text) => format!("{shown}{style}{text}{style:#}"),
            (false, text) => shown + &text,
        })
    }
}

impl<T: Into<String>> From<T> for Line {
    fn from(text: T) -> Self {
        Self::default().plain(text)
    }
}

/// Without what would steer the terminal: ids and payloads come from others.
pub fn legible(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut legible = String::new();
    for c in text.chars() {
        let written =
            if steers(c) { write!(legible, "\\u{:04x}", u32::from(c)) } else { legible.write_char(c) };
        written.expect("a text has room");
    }
    Cow::Owned(legible)
}
