use std::fmt;

/// Whether events can be appended to a log.
///
/// ```
/// use diesel_event_store::LogState;
///
/// assert_eq!(LogState::Receiving.to_string(), "receiving");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogState {
    /// Events can be appended.
    Open,
    /// The log moves to another database, or has moved.
    Frozen,
    /// An import or a copy fills the log.
    Receiving,
}

impl LogState {
    /// As it stands in the database.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Frozen => "frozen",
            Self::Receiving => "receiving",
        }
    }

    pub(crate) fn stored(name: &str) -> Option<Self> {
        [Self::Open, Self::Frozen, Self::Receiving].into_iter().find(|state| state.name() == name)
    }
}

impl fmt::Display for LogState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The log is closed: nothing is appended to it, by no connection. It can be read.
///
/// ```
/// use diesel_event_store::AppendError;
///
/// fn answer(error: &AppendError) -> &'static str {
///     match error {
///         AppendError::LogClosed(closed) => "503 Service Unavailable", // closed.note() says why
///         _ => "500 Internal Server Error",
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", Self::message(.state.name(), .note))]
pub struct LogClosed {
    pub(crate) state: LogState,
    pub(crate) note: String,
}

/// What stands in a closed log whose row was lost and is there again. PostgreSQL's own function knows it, too.
#[cfg(any(feature = "sqlite", feature = "_mysql"))]
pub(crate) const LOST_NOTE: &str =
    r#"{"reason":"why it is closed was lost with the row of event_log","is_lost":true}"#;

const BEFORE: &str = "this event log is ";
const AFTER: &str = "; nothing was appended";

impl LogClosed {
    /// Why it is closed.
    pub fn state(&self) -> LogState {
        self.state
    }

    /// JSON: since when it is closed, and why.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// What the databases say.
    pub(crate) fn message(state: &str, note: &str) -> String {
        format!("{BEFORE}{state}: {note}{AFTER}")
    }

    /// What a database has said.
    pub(crate) fn parse(message: &str) -> Option<Self> {
        let (state, note) = message.strip_prefix(BEFORE)?.strip_suffix(AFTER)?.split_once(": ")?;
        Some(Self { state: LogState::stored(state)?, note: note.to_owned() })
    }
}
