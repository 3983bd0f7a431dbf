use std::error::Error as StdError;
use std::fmt;

use uuid::Uuid;

use crate::model::decode_error::DecodeError;
use crate::model::event::RecordedEvent;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;

/// Which event could not be read.
///
/// It is displayed as `OrderPlaced version 1, event 3 of Order/o-1 at position 7`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventName {
    /// The stored name of its type.
    pub event_type: String,
    /// The version of its content.
    pub event_version: i32,
    /// Its id.
    pub event_id: Uuid,
    /// Its stream.
    pub stream: StreamId,
    /// Its version in the stream.
    pub version: i64,
    /// Its position in the log.
    pub position: Position,
}

impl From<&RecordedEvent> for EventName {
    fn from(recorded: &RecordedEvent) -> Self {
        Self {
            event_type: recorded.event_type().to_owned(),
            event_version: recorded.event_version(),
            event_id: recorded.id(),
            stream: recorded.stream().clone(),
            version: recorded.version(),
            position: recorded.position(),
        }
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event_type, event_version, stream, version, position, .. } = self;
        write!(f, "{event_type} version {event_version}, event {version} of {stream} at position {position}")
    }
}

/// A recorded event cannot be read as a typed one: which event, and [why](EventProblem). Reading guesses
/// nothing: what may be ignored is declared.
///
/// ```
/// use diesel_event_store::{EventError, EventProblem, NewEvent, Position, StreamId};
///
/// let recorded = NewEvent::new("OrderShipped", &())?.recorded(&StreamId::new("Order", "o-1")?, 3, Position::new(7)?)?;
/// let error = EventError::unknown_type(&recorded);
/// assert!(matches!(error.problem(), EventProblem::UnknownType));
/// assert!(error.to_string().starts_with("OrderShipped version 1, event 3 of Order/o-1 at position 7"));
/// # Ok::<(), diesel_event_store::InvalidInput>(())
/// ```
// A pointer: what nearly every event is read as is moved several times, and an error makes no difference to that.
pub struct EventError(Box<Unreadable>);

struct Unreadable {
    event: EventName,
    problem: EventProblem,
}

/// Why a recorded event cannot be read as a typed one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventProblem {
    /// The program does not know the type.
    #[error(
        "this program does not know the type; add a variant for it, or declare it `retired` to ignore it. Was it \
         recorded by a newer release? Deploy readers before writers"
    )]
    UnknownType,
    /// The program knows the type, but only up to an older version.
    #[error(
        "this program knows the type up to version {newest}; it was recorded by a newer release. Deploy readers \
         before writers"
    )]
    #[non_exhaustive]
    NewerVersion {
        /// The newest version that the program knows.
        newest: i32,
    },
    /// An older version could not be brought up to the newest.
    #[error("the upcast from version {from_version} failed: {source}")]
    #[non_exhaustive]
    Upcast {
        /// The version at which the step that failed begins.
        from_version: i32,
        /// What the upcast says.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The content does not have the declared form.
    #[error("its payload cannot be decoded: {}", .source.json_error())]
    #[non_exhaustive]
    Undecodable {
        /// What `serde_json` says, and about which event.
        source: Box<DecodeError>,
    },
}

impl EventError {
    fn new(recorded: &RecordedEvent, problem: EventProblem) -> Self {
        Self(Box::new(Unreadable { event: recorded.into(), problem }))
    }

    /// For an [`Event`](crate::Event) written by hand.
    pub fn unknown_type(recorded: &RecordedEvent) -> Self {
        Self::new(recorded, EventProblem::UnknownType)
    }

    /// For an [`Event`](crate::Event) written by hand: the program knows the type up to version `newest`.
    pub fn newer_version(recorded: &RecordedEvent, newest: i32) -> Self {
        Self::new(recorded, EventProblem::NewerVersion { newest })
    }

    /// For an [`Event`](crate::Event) written by hand: the step that begins at `from_version` failed.
    pub fn upcast(recorded: &RecordedEvent, from_version: i32, source: impl Into<UpcastError>) -> Self {
        Self::new(recorded, EventProblem::Upcast { from_version, source: source.into().into_error() })
    }

    /// For an [`Event`](crate::Event) written by hand: the payload does not have the declared form.
    pub fn undecodable(recorded: &RecordedEvent, source: serde_json::Error) -> Self {
        let source = Box::new(recorded.undecodable("payload", source));
        Self::new(recorded, EventProblem::Undecodable { source })
    }

    /// Which event could not be read.
    pub fn event(&self) -> &EventName {
        &self.0.event
    }

    /// Why it could not be read.
    pub fn problem(&self) -> &EventProblem {
        &self.0.problem
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unreadable { event, problem } = &*self.0;
        write!(f, "{event}: {problem}")
    }
}

impl fmt::Debug for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unreadable { event, problem } = &*self.0;
        f.debug_struct("EventError").field("event", event).field("problem", problem).finish()
    }
}

impl StdError for EventError {
    /// The problem is known for what it is inside any error of the application, also one that passes its
    /// source on (`#[error(transparent)]`).
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0.problem)
    }
}

/// Why an upcast or a split failed: any error, or a text. Both become one by `?`.
///
/// ```
/// use diesel_event_store::UpcastError;
///
/// fn cents(euros: Option<&str>) -> Result<i64, UpcastError> {
///     let euros: i64 = euros.ok_or("no amount")?.parse()?;
///     Ok(euros.checked_mul(100).ok_or("too many euros")?)
/// }
///
/// assert_eq!(cents(Some("12")).unwrap(), 1200);
/// assert_eq!(cents(None).unwrap_err().to_string(), "no amount");
/// assert_eq!(cents(Some("12.5")).unwrap_err().to_string(), "invalid digit found in string");
/// ```
pub struct UpcastError(Box<dyn StdError + Send + Sync>);

impl UpcastError {
    /// The error itself.
    ///
    /// ```
    /// # use diesel_event_store::UpcastError;
    /// let error = UpcastError::from(std::fmt::Error).into_error();
    /// assert!(error.is::<std::fmt::Error>());
    /// ```
    pub fn into_error(self) -> Box<dyn StdError + Send + Sync> {
        self.0
    }
}

// It is no error itself, so that every error and every text can become one.
impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for UpcastError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for UpcastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for UpcastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
