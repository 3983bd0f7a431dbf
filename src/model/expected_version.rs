use std::fmt;

use crate::model::invalid::{InvalidInput, Problem};
use crate::model::stream_id::StreamId;

/// What an append expects of its stream; it is refused with a [`Conflict`] when the stream is elsewhere.
///
/// This is optimistic concurrency: read a stream, decide, and append with the version that was read. If somebody else
/// was faster, nothing is written.
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
    /// Whatever is there: never a conflict.
    Any,
    /// The aggregate has no event yet.
    NoStream,
    /// The aggregate has at least one event.
    StreamExists,
    /// The aggregate's last event has exactly this version. `Exact(0)` means the same as
    /// [`NoStream`](ExpectedVersion::NoStream), so that the version of an empty stream can be passed on as it is.
    Exact(i64),
}

impl ExpectedVersion {
    /// The whole rule: whether an append that expects this may go on when the aggregate is at version `actual`, 0 being
    /// the version of an aggregate without events.
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

/// An append lost a race: the stream is not where the append expected it. Nothing was written.
///
/// Not a breakage: read the stream again, decide again, and append with the new version.
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
    "conflict on {stream}: the append expected {expected}, but the aggregate is at version {actual}; \
     read the stream again and decide anew"
)]
#[non_exhaustive]
pub struct Conflict {
    /// The stream that was to be appended to.
    pub stream: StreamId,
    /// What the append expected.
    pub expected: ExpectedVersion,
    /// The version the aggregate really has; 0 when it has no events.
    pub actual: i64,
}
