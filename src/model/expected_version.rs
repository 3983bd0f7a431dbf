use std::fmt;

use crate::model::invalid::{InvalidInput, Problem};
use crate::model::stream_id::StreamId;

/// Which version an append expects its stream to be at; otherwise the append is refused with a [`Conflict`].
///
/// This is optimistic concurrency: read a stream, decide, and append with the version that was read. If
/// another append was faster, nothing is written.
///
/// ```
/// use diesel_event_store::ExpectedVersion;
///
/// assert!(ExpectedVersion::NoStream.allows(0));
/// assert!(ExpectedVersion::Exact(3).allows(3));
/// assert!(!ExpectedVersion::Exact(3).allows(4));
/// assert!(ExpectedVersion::Any.allows(4));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExpectedVersion {
    /// Any version: never a conflict.
    Any,
    /// The stream has no event yet.
    NoStream,
    /// The stream has at least one event.
    StreamExists,
    /// The stream's last event has exactly this version. `Exact(0)` means the same as
    /// [`NoStream`](ExpectedVersion::NoStream), so that the version of an empty stream can be passed on.
    Exact(i64),
}

impl ExpectedVersion {
    /// Whether an append that expects this may continue when the stream is at version `actual`; 0 is the
    /// version of a stream without events.
    ///
    /// ```
    /// # use diesel_event_store::ExpectedVersion;
    /// assert!(!ExpectedVersion::StreamExists.allows(0));
    /// assert!(ExpectedVersion::Exact(0).allows(0));
    /// ```
    pub const fn allows(self, actual: i64) -> bool {
        match self {
            ExpectedVersion::Any => true,
            ExpectedVersion::NoStream => actual == 0,
            ExpectedVersion::StreamExists => actual > 0,
            ExpectedVersion::Exact(expected) => actual == expected,
        }
    }

    pub(crate) fn validate(self) -> Result<(), InvalidInput> {
        match self {
            ExpectedVersion::Exact(value) if value < 0 => {
                let problem = Problem::OutOfRange { value, lowest: 0, highest: i64::MAX };
                Err(InvalidInput::new("expected version", problem))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for ExpectedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExpectedVersion::Any => f.write_str("any version"),
            ExpectedVersion::NoStream => f.write_str("no events yet"),
            ExpectedVersion::StreamExists => f.write_str("at least one event"),
            ExpectedVersion::Exact(version) => write!(f, "version {version}"),
        }
    }
}

/// The stream is at another version than the append expected, because another append was faster. Nothing was
/// written.
///
/// It is no failure: read the stream again, decide again, and append with the new version.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{AppendError, EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let store = EventStore::new();
/// let alice = StreamId::new("User", "alice")?;
/// let renamed = [NewEvent::new("UserRenamed", &"Alice")?];
/// store.append(&mut conn, &alice, ExpectedVersion::NoStream, &renamed)?;
///
/// let again = [NewEvent::new("UserRenamed", &"Alicia")?];
/// match store.append(&mut conn, &alice, ExpectedVersion::NoStream, &again) {
///     Err(AppendError::Conflict(conflict)) => {
///         assert_eq!(conflict.stream, alice);
///         assert_eq!(conflict.expected, ExpectedVersion::NoStream);
///         assert_eq!(conflict.actual, 1);
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "conflict on {stream}: the append expected {expected}, but the stream is at version {actual}; \
     read the stream again, decide again, and append with the new version"
)]
#[non_exhaustive]
pub struct Conflict {
    /// The stream of the append.
    pub stream: StreamId,
    /// What the append expected.
    pub expected: ExpectedVersion,
    /// The version the stream really has; 0 if it has no events.
    pub actual: i64,
}
