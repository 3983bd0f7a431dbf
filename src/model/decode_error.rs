use crate::model::position::Position;
use crate::model::stream_id::StreamId;

/// What `serde_json` says about stored content: a type of its own, so that it is known for that inside any
/// error of the application, also one that passes its source on (`#[error(transparent)]`).
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Undecodable(#[from] pub(crate) serde_json::Error);

/// A payload or metadata cannot be decoded as the type that the application asked for. The event itself is
/// unchanged.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # let alice = StreamId::new("User", "alice")?;
/// let renamed = [NewEvent::new("UserRenamed", &"Alice")?];
/// let appended = EventStore::new().append(&mut conn, &alice, ExpectedVersion::Any, &renamed)?;
/// let error = appended.events()[0].payload::<u64>().unwrap_err();
/// assert!(error.to_string().starts_with("payload of UserRenamed, version 1 of User/alice at position 1"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[error(
    "{field} of {event_type}, version {version} of {stream} at position {position}, cannot be decoded: \
     {cause}"
)]
#[non_exhaustive]
pub struct DecodeError {
    /// `payload` or `metadata`.
    pub field: &'static str,
    /// The type of the event.
    pub event_type: String,
    /// The stream of the event.
    pub stream: StreamId,
    /// The version of the event in its stream.
    pub version: i64,
    /// The position of the event in the log.
    pub position: Position,
    #[source]
    pub(crate) cause: Undecodable,
}

impl DecodeError {
    /// What `serde_json` says.
    pub fn json_error(&self) -> &serde_json::Error {
        &self.cause.0
    }
}
