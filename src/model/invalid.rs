use std::fmt;

use chrono::{DateTime, Utc};

use crate::model::ordering::LogOrdering;

/// The longest aggregate type, aggregate id, event type, trace, correlation or causation id and projection name,
/// in characters. It is what the narrowest database can index.
pub const MAX_NAME_LENGTH: usize = 255;

/// How deep the arrays and objects of a payload may be nested: what `serde_json` will decode again.
pub const MAX_JSON_DEPTH: usize = 127;

/// Something that was handed in and cannot be kept or asked for. Nothing was written.
///
/// It names the field, and the event in a batch of several.
///
/// ```
/// use diesel_event_store::{Problem, StreamId};
///
/// let refused = StreamId::new("", "alice").unwrap_err();
/// assert_eq!(refused.field(), "aggregate_type");
/// assert_eq!(refused.problem(), &Problem::Empty);
/// assert_eq!(refused.to_string(), "aggregate_type is empty");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct InvalidInput {
    field: &'static str,
    event: Option<usize>,
    problem: Problem,
}

impl InvalidInput {
    pub(crate) fn new(field: &'static str, problem: Problem) -> Self {
        Self { field, event: None, problem }
    }

    pub(crate) fn of_event(self, index: usize) -> Self {
        Self { event: Some(index), ..self }
    }

    /// The name of what was refused: a column, or the name of an argument.
    ///
    /// ```
    /// # use diesel_event_store::StreamId;
    /// assert_eq!(StreamId::new("User", "\0").unwrap_err().field(), "aggregate_id");
    /// ```
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// Which event of the batch it was, counted from 0, if it was one of a batch.
    ///
    /// ```
    /// # use diesel_event_store::StreamId;
    /// assert_eq!(StreamId::new("User", "").unwrap_err().event_index(), None);
    /// ```
    pub fn event_index(&self) -> Option<usize> {
        self.event
    }

    /// What is wrong with it.
    ///
    /// ```
    /// # use diesel_event_store::{Problem, StreamId};
    /// assert_eq!(StreamId::new("User", "").unwrap_err().problem(), &Problem::Empty);
    /// ```
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(index) = self.event {
            write!(f, "event {index} of the batch: ")?;
        }
        write!(f, "{} {}", self.field, self.problem)
    }
}

impl std::error::Error for InvalidInput {}

/// What is wrong with an input.
///
/// ```
/// use diesel_event_store::{Problem, StreamId};
///
/// let refused = StreamId::new("User", "x".repeat(300)).unwrap_err();
/// match refused.problem() {
///     Problem::TooLong { length, limit, .. } => assert_eq!((*length, *limit), (300, 255)),
///     other => panic!("{other}"),
/// }
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Nothing in it: no character, no event, no name.
    #[error("is empty")]
    Empty,
    /// A name that comes twice where it must be unique.
    #[error("has {name:?} twice")]
    #[non_exhaustive]
    Repeated {
        /// The name.
        name: String,
    },
    /// A text with more characters than can be kept.
    #[error("is {length} characters long; the limit is {limit}")]
    #[non_exhaustive]
    TooLong {
        /// Its length in characters.
        length: usize,
        /// The most characters that can be kept.
        limit: usize,
    },
    /// A text with NUL or another control character in it.
    #[error("has the control character {character:?} at byte {at}; control characters cannot be kept")]
    #[non_exhaustive]
    ControlCharacter {
        /// The character.
        character: char,
        /// Its offset in bytes.
        at: usize,
    },
    /// A number outside its range.
    #[error("is {value}; it must be from {lowest} to {highest}")]
    #[non_exhaustive]
    OutOfRange {
        /// The number.
        value: i64,
        /// The lowest that is allowed.
        lowest: i64,
        /// The highest that is allowed.
        highest: i64,
    },
    /// A range of versions that ends before it begins.
    #[error("runs from {from} to {to}; the end lies before the beginning")]
    #[non_exhaustive]
    BackwardRange {
        /// Where the range begins.
        from: i64,
        /// Where the range ends.
        to: i64,
    },
    /// An ordering that this database cannot give the log.
    #[error("cannot be {ordering:?} on this database")]
    #[non_exhaustive]
    OrderingNotAvailable {
        /// The ordering.
        ordering: LogOrdering,
    },
    /// A time that not every database can hold.
    #[error("is {time}; it must be from {earliest} to {latest}")]
    #[non_exhaustive]
    TimeOutOfRange {
        /// The time.
        time: DateTime<Utc>,
        /// The earliest time that can be kept.
        earliest: DateTime<Utc>,
        /// The latest time that can be kept.
        latest: DateTime<Utc>,
    },
    /// A text that is not JSON.
    #[error("is not JSON: {reason}")]
    #[non_exhaustive]
    NotJson {
        /// What the parser says, with line and column.
        reason: String,
    },
    /// A value that serde cannot turn into JSON.
    #[error("cannot be written as JSON: {reason}")]
    #[non_exhaustive]
    NotSerializable {
        /// What the serialiser says.
        reason: String,
    },
    /// JSON nested deeper than it could be decoded again.
    #[error("is nested more than {limit} levels deep")]
    #[non_exhaustive]
    TooDeep {
        /// The deepest nesting that is allowed.
        limit: usize,
    },
    /// JSON text larger than the store's limit.
    #[error("is {bytes} bytes large; the limit is {limit} (EventStore::max_json_bytes)")]
    #[non_exhaustive]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A batch that would take an aggregate past the highest version.
    #[error(
        "would take the aggregate past version {}: it is at {version} and {events} more cannot be counted",
        i64::MAX
    )]
    #[non_exhaustive]
    VersionOverflow {
        /// The version of the aggregate.
        version: i64,
        /// The number of events in the batch.
        events: usize,
    },
}

/// The rule for every type, id and name: 1 to [`MAX_NAME_LENGTH`] characters, none of them a control character.
pub(crate) fn check_name(field: &'static str, name: &str) -> Result<(), InvalidInput> {
    find_problem(name).map_or(Ok(()), |problem| Err(InvalidInput::new(field, problem)))
}

fn find_problem(name: &str) -> Option<Problem> {
    if name.is_empty() {
        return Some(Problem::Empty);
    }
    // A character has at least one byte, so most names need not be counted.
    if name.len() > MAX_NAME_LENGTH {
        let length = name.chars().count();
        if length > MAX_NAME_LENGTH {
            return Some(Problem::TooLong { length, limit: MAX_NAME_LENGTH });
        }
    }
    let (at, character) = name.char_indices().find(|(_, c)| c.is_control())?;
    Some(Problem::ControlCharacter { character, at })
}
