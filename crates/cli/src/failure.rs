use std::fmt;
use std::io;

use crate::commands::to_type;
use crate::interrupt;
use crate::store_error;

/// Why a command was not carried out.
#[derive(Debug)]
pub enum Failure {
    /// The reader of the answers has gone.
    ClosedPipe,
    /// The command does not fit.
    Usage(String),
    /// What was looked for was found, and has been told.
    Found(String),
    /// It wants to be confirmed; what would happen.
    Unconfirmed(String),
    /// It wants to be told more; what to type.
    Undecided { message: String, advice: String },
    /// Ctrl-C, and what is there now; what to type.
    Interrupted { message: String, advice: String },
    /// Everything else, with a short name for programs, and what to do if that is known.
    Failed { code: &'static str, message: String, advice: Option<String> },
}

pub type Result<T = (), E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub fn new(code: &'static str, message: impl fmt::Display) -> Self {
        Self::Failed { code, message: message.to_string(), advice: None }
    }

    pub fn advice(self, advice: impl Into<String>) -> Self {
        match self {
            Self::Failed { code, message, .. } => Self::Failed { code, message, advice: Some(advice.into()) },
            other => other,
        }
    }

    /// The same, with other texts.
    pub fn map(self, change: impl Fn(&str) -> String) -> Self {
        match self {
            Self::ClosedPipe => Self::ClosedPipe,
            Self::Usage(message) => Self::Usage(change(&message)),
            Self::Found(message) => Self::Found(change(&message)),
            Self::Unconfirmed(would) => Self::Unconfirmed(change(&would)),
            Self::Undecided { message, advice } => {
                Self::Undecided { message: change(&message), advice: change(&advice) }
            }
            Self::Interrupted { message, advice } => {
                Self::Interrupted { message: change(&message), advice: change(&advice) }
            }
            Self::Failed { code, message, advice } => {
                Self::Failed { code, message: change(&message), advice: advice.as_deref().map(change) }
            }
        }
    }

    /// With the database at a URL in what is to be typed.
    pub fn on(self, url: &str) -> Self {
        self.change_advice(|advice| to_type::on(url, &advice))
    }

    /// If there is any.
    pub fn change_advice(self, change: impl Fn(String) -> String) -> Self {
        match self {
            Self::Undecided { message, advice } => Self::Undecided { message, advice: change(advice) },
            Self::Interrupted { message, advice } => Self::Interrupted { message, advice: change(advice) },
            Self::Failed { code, message, advice } => {
                Self::Failed { code, message, advice: advice.map(change) }
            }
            other => other,
        }
    }

    pub fn exit_code(&self) -> u8 {
        match self {
            Self::ClosedPipe => 0,
            Self::Failed { .. } => 1,
            Self::Usage(_) => 2,
            Self::Found(_) => 3,
            Self::Unconfirmed(_) | Self::Undecided { .. } => 4,
            Self::Interrupted { .. } => interrupt::EXIT_CODE,
        }
    }

    pub fn code(&self) -> &'static str {
        match self {
            Self::ClosedPipe => "closed_pipe",
            Self::Usage(_) => "usage",
            Self::Found(_) => "found",
            Self::Unconfirmed(_) => "unconfirmed",
            Self::Undecided { .. } => "undecided",
            Self::Interrupted { .. } => "interrupted",
            Self::Failed { code, .. } => code,
        }
    }

    /// What to type.
    pub fn advice_text(&self) -> Option<&str> {
        match self {
            Self::Failed { advice, .. } => advice.as_deref(),
            Self::Undecided { advice, .. } | Self::Interrupted { advice, .. } => Some(advice),
            Self::Unconfirmed(_) => Some("say --yes"),
            Self::ClosedPipe | Self::Usage(_) | Self::Found(_) => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClosedPipe => f.write_str("the reader has gone"),
            Self::Usage(message) | Self::Found(message) => f.write_str(message),
            Self::Unconfirmed(would) => write!(f, "not done: {would}"),
            Self::Failed { message, .. }
            | Self::Undecided { message, .. }
            | Self::Interrupted { message, .. } => f.write_str(message),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::new("io", error),
        }
    }
}

impl From<diesel_event_store::Error> for Failure {
    fn from(error: diesel_event_store::Error) -> Self {
        if store_error::is_of_usage(&error) {
            return Self::Usage(error.to_string());
        }
        let (code, advice) = (store_error::code(&error), store_error::advice(&error));
        Self::Failed { code, message: error.to_string(), advice: advice.map(str::to_owned) }
    }
}

impl From<diesel::ConnectionError> for Failure {
    fn from(error: diesel::ConnectionError) -> Self {
        Self::new("no_connection", error)
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        diesel_event_store::Error::from(error).into()
    }
}

diesel_event_store::from_store_errors!(Failure);
