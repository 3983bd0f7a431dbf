use std::env;
use std::fmt;

use crate::commands::to_type::quoted;
use crate::secrets::shown;

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
    /// For the database at a URL: one that the environment does not name has to be typed, too.
    pub fn on(&self, url: &str) -> String {
        match self {
            Self::Type(arguments) if env::var("DATABASE_URL").as_deref() != Ok(url) => {
                let url = shown(url);
                Self::Type(format!("--database-url {} {arguments}", quoted(&url))).to_string()
            }
            _ => self.to_string(),
        }
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
