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

/// Why a recorded event cannot be read as a typed one. Reading guesses nothing: what may be ignored is declared.
///
/// ```
/// use diesel_event_store::{EventError, NewEvent, Position, StreamId};
///
/// let recorded = NewEvent::new("OrderShipped", &())?.recorded(&StreamId::new("Order", "o-1")?, 3, Position::new(7)?)?;
/// let error = EventError::unknown_type(&recorded);
/// assert!(error.to_string().starts_with("OrderShipped version 1, event 3 of Order/o-1 at position 7"));
/// # Ok::<(), diesel_event_store::InvalidInput>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The program does not know the type.
    #[error(
        "{event}: this program does not know the type; add a variant for it, or declare it `retired` to ignore it. \
         Was it recorded by a newer release? Deploy readers before writers"
    )]
    #[non_exhaustive]
    UnknownType {
        /// The event.
        event: Box<EventName>,
    },
    /// The program knows the type, but only up to an older version.
    #[error(
        "{event}: this program knows the type up to version {newest}; it was recorded by a newer release. \
         Deploy readers before writers"
    )]
    #[non_exhaustive]
    NewerVersion {
        /// The event.
        event: Box<EventName>,
        /// The newest version that the program knows.
        newest: i32,
    },
    /// An older version could not be brought up to the newest.
    #[error("{event}: the upcast from version {from_version} failed: {source}")]
    #[non_exhaustive]
    Upcast {
        /// The event.
        event: Box<EventName>,
        /// The version at which the step that failed begins.
        from_version: i32,
        /// What the upcast says.
        source: UpcastError,
    },
    /// The content does not have the declared form.
    #[error("{event}: its payload cannot be decoded: {}", .source.json_error())]
    #[non_exhaustive]
    Undecodable {
        /// The event.
        event: Box<EventName>,
        /// What `serde_json` says, and about which event.
        source: Box<DecodeError>,
    },
}

impl EventError {
    /// For an [`Event`](crate::Event) written by hand.
    pub fn unknown_type(recorded: &RecordedEvent) -> Self {
        Self::UnknownType { event: name(recorded) }
    }

    /// For an [`Event`](crate::Event) written by hand: the program knows the type up to version `newest`.
    pub fn newer_version(recorded: &RecordedEvent, newest: i32) -> Self {
        Self::NewerVersion { event: name(recorded), newest }
    }

    /// For an [`Event`](crate::Event) written by hand: the step that begins at `from_version` failed.
    pub fn upcast(recorded: &RecordedEvent, from_version: i32, source: impl Into<UpcastError>) -> Self {
        Self::Upcast { event: name(recorded), from_version, source: source.into() }
    }

    /// For an [`Event`](crate::Event) written by hand: the payload does not have the declared form.
    pub fn undecodable(recorded: &RecordedEvent, source: serde_json::Error) -> Self {
        let source = Box::new(recorded.undecodable("payload", source));
        Self::Undecodable { event: name(recorded), source }
    }

    /// Which event could not be read.
    pub fn event(&self) -> &EventName {
        match self {
            Self::UnknownType { event }
            | Self::NewerVersion { event, .. }
            | Self::Upcast { event, .. }
            | Self::Undecodable { event, .. } => event,
        }
    }
}

fn name(recorded: &RecordedEvent) -> Box<EventName> {
    Box::new(recorded.into())
}

/// Why an upcast or a split failed: a text, or any error.
///
/// ```
/// use diesel_event_store::UpcastError;
///
/// let number: Result<i64, UpcastError> = "12.5".parse::<i64>().map_err(UpcastError::new);
/// assert_eq!(number.unwrap_err().to_string(), "invalid digit found in string");
/// assert_eq!(UpcastError::from("no amount").to_string(), "no amount");
/// ```
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct UpcastError(Box<dyn StdError + Send + Sync>);

impl UpcastError {
    /// From any error, or from a text.
    pub fn new(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

impl From<&str> for UpcastError {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for UpcastError {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<serde_json::Error> for UpcastError {
    fn from(error: serde_json::Error) -> Self {
        Self::new(error)
    }
}
