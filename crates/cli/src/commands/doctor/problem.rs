use std::fmt;

use crate::commands::to_type;

/// Something that is wrong, and what to do about it.
pub struct Problem {
    pub what: String,
    pub advice: Advice,
}

/// What to do about a problem.
pub enum Advice {
    /// To type this, after the name of the command.
    Type(String),
    /// To give the database these statements.
    Sql(String),
    /// What cannot be typed.
    Words(String),
}

impl Problem {
    pub fn new(what: impl Into<String>, advice: Advice) -> Self {
        Self { what: what.into(), advice }
    }

    pub fn to_type(what: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self::new(what, Advice::Type(arguments.into()))
    }

    pub fn sql(what: impl Into<String>, statements: impl Into<String>) -> Self {
        Self::new(what, Advice::Sql(statements.into()))
    }

    pub fn words(what: impl Into<String>, words: impl Into<String>) -> Self {
        Self::new(what, Advice::Words(words.into()))
    }
}

impl Advice {
    /// For the database at a URL.
    pub fn on(&self, url: &str) -> String {
        to_type::on(url, &self.to_string())
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(arguments) => write!(f, "type: diesel-event-store {arguments}"),
            Self::Sql(statements) => write!(f, "SQL: {statements}"),
            Self::Words(words) => f.write_str(words),
        }
    }
}
