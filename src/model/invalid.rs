use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::model::ordering::LogOrdering;

/// The longest name, in characters: of an aggregate type or id, an event type, a trace, correlation or
/// causation id, and a projection. It is the longest that all the databases can index.
pub const MAX_NAME_LENGTH: usize = 255;

/// The longest tenant, in characters. Together with the type and the id of an aggregate it is in one index.
pub const MAX_TENANT_LENGTH: usize = 63;

/// How many levels deep the arrays and objects of a payload or metadata may be nested: the most that
/// `serde_json` decodes.
pub const MAX_JSON_DEPTH: usize = 127;

/// An argument that is refused, because it cannot be stored or cannot be queried. Nothing was written.
///
/// The error names the field, its limit, and which event of the batch it is about.
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

    /// What was refused: the name of a column or of an argument.
    ///
    /// ```
    /// # use diesel_event_store::StreamId;
    /// assert_eq!(StreamId::new("User", "\0").unwrap_err().field(), "aggregate_id");
    /// ```
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// Which event of the batch was refused, counted from 0; `None` if it was no event.
    ///
    /// ```
    /// # use diesel_event_store::StreamId;
    /// assert_eq!(StreamId::new("User", "").unwrap_err().event_index(), None);
    /// ```
    pub fn event_index(&self) -> Option<usize> {
        self.event
    }

    /// What is wrong with the field.
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

/// What is wrong with an argument.
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
    /// It has no character, no event or no name in it.
    #[error("is empty")]
    Empty,
    /// A name appears twice where each must be unique.
    #[error("has {name:?} twice; each name must be unique")]
    #[non_exhaustive]
    Repeated {
        /// The name.
        name: String,
    },
    /// A stream is guarded to which the batch appends, and which therefore has an expected version already.
    #[error("names {stream}, which the batch appends to: expect the version there")]
    #[non_exhaustive]
    GuardsWritten {
        /// The stream.
        stream: String,
    },
    /// A stream is guarded that may be at any version.
    #[error("expects any version of {stream}, and so guards nothing")]
    #[non_exhaustive]
    GuardsNothing {
        /// The stream.
        stream: String,
    },
    /// A text has more characters than can be stored.
    #[error("is {length} characters long; the limit is {limit}")]
    #[non_exhaustive]
    TooLong {
        /// Its length in characters.
        length: usize,
        /// The most characters that can be stored.
        limit: usize,
    },
    /// A text has a control character in it, for instance NUL.
    #[error("has the control character {character:?} at byte {at}; control characters are not allowed")]
    #[non_exhaustive]
    ControlCharacter {
        /// The character.
        character: char,
        /// Its offset, in bytes.
        at: usize,
    },
    /// A number is outside its range.
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
    /// A duration is longer than can be waited for.
    #[error("is {duration:?}; the limit is {limit:?}")]
    #[non_exhaustive]
    DurationTooLong {
        /// The duration.
        duration: Duration,
        /// The longest that is allowed.
        limit: Duration,
    },
    /// A range of versions ends before it begins.
    #[error("is from {from} to {to}; a range must not end before it begins")]
    #[non_exhaustive]
    BackwardRange {
        /// Where the range begins.
        from: i64,
        /// Where the range ends.
        to: i64,
    },
    /// The database does not have this ordering of the log.
    #[error("cannot be {ordering:?} on this database")]
    #[non_exhaustive]
    OrderingNotAvailable {
        /// The ordering.
        ordering: LogOrdering,
    },
    /// A time is outside the range that every database can store.
    #[error("is {time}; it must be from {earliest} to {latest}")]
    #[non_exhaustive]
    TimeOutOfRange {
        /// The time.
        time: DateTime<Utc>,
        /// The earliest time that can be stored.
        earliest: DateTime<Utc>,
        /// The latest time that can be stored.
        latest: DateTime<Utc>,
    },
    /// A text is not JSON.
    #[error("is not JSON: {reason}")]
    #[non_exhaustive]
    NotJson {
        /// The parser's message, with line and column.
        reason: String,
    },
    /// serde cannot serialize a value as JSON.
    #[error("cannot be serialized as JSON: {reason}")]
    #[non_exhaustive]
    NotSerializable {
        /// The serializer's message.
        reason: String,
    },
    /// An event that an aggregate has decided on is of a type or a form that the aggregate cannot read back:
    /// of another aggregate's type, say. It would make the aggregate unreadable.
    #[error("is {event_type:?}, which the aggregate could not read back: {reason}")]
    #[non_exhaustive]
    CannotBeReadBack {
        /// The type of the event.
        event_type: String,
        /// Why it could not be read.
        reason: String,
    },
    /// JSON is nested too deep to be decoded again.
    #[error("is nested deeper than the limit of {limit} levels")]
    #[non_exhaustive]
    TooDeep {
        /// The deepest nesting that is allowed.
        limit: usize,
    },
    /// JSON text is larger than the limit of the [`EventStore`](crate::EventStore::max_json_bytes).
    #[error("has {bytes} bytes of JSON; the limit is {limit} (EventStore::max_json_bytes)")]
    #[non_exhaustive]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A batch would take a stream past the highest version.
    #[error(
        "would take the stream from version {version} past the highest, {}, with {events} more",
        i64::MAX
    )]
    #[non_exhaustive]
    VersionOverflow {
        /// The version of the stream.
        version: i64,
        /// The number of events in the batch.
        events: usize,
    },
}

/// A number of events or bytes that is asked for. No log has more than fit.
pub(crate) fn check_at_least_one(field: &'static str, number: usize) -> Result<i64, InvalidInput> {
    if number == 0 {
        let problem = Problem::OutOfRange { value: 0, lowest: 1, highest: i64::MAX };
        return Err(InvalidInput::new(field, problem));
    }
    Ok(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The rule for every type, id and name: 1 to [`MAX_NAME_LENGTH`] characters, none of them a control
/// character.
pub(crate) fn check_name(field: &'static str, name: &str) -> Result<(), InvalidInput> {
    check_name_up_to(MAX_NAME_LENGTH, field, name)
}

/// The same for a name with a limit of its own.
pub(crate) fn check_name_up_to(limit: usize, field: &'static str, name: &str) -> Result<(), InvalidInput> {
    find_problem(name, limit).map_or(Ok(()), |problem| Err(InvalidInput::new(field, problem)))
}

fn find_problem(name: &str, limit: usize) -> Option<Problem> {
    if name.is_empty() {
        return Some(Problem::Empty);
    }
    // A character has at least one byte, so most names need no count.
    if name.len() > limit {
        let length = name.chars().count();
        if length > limit {
            return Some(Problem::TooLong { length, limit });
        }
    }
    let (at, character) = name.char_indices().find(|(_, c)| c.is_control())?;
    Some(Problem::ControlCharacter { character, at })
}
