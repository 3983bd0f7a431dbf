use uuid::Uuid;

use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::stream_id::StreamId;

/// Something in a log that does not agree with the rest of it.
///
/// The library never writes such a thing: the rows were changed by hand, restored in part, or damaged.
/// [`EventStore::repair`](crate::EventStore::repair) sets heads. It does not change events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// The version of an event does not follow that of the event before it in its stream.
    #[error("position {position}: version {found} of {stream} does not follow version {before}")]
    #[non_exhaustive]
    Version {
        /// Where the event is.
        position: Position,
        /// Its stream.
        stream: StreamId,
        /// The version of the event before it, in the order of the log.
        before: i64,
        /// The event's own.
        found: i64,
    },
    /// The content of an event is not JSON.
    #[error("position {position}: the {field} is not JSON: {reason}")]
    #[non_exhaustive]
    NotJson {
        /// Where the event is.
        position: Position,
        /// `payload` or `metadata`.
        field: &'static str,
        /// What is wrong, and where in the text.
        reason: String,
    },
    /// A stream's row in `aggregate_heads` is not at the version of the stream's last event, or not there.
    #[error("the head of {stream} is {}, and its last event has version {last}", at(.head))]
    #[non_exhaustive]
    Head {
        /// The stream.
        stream: StreamId,
        /// The version of its last event.
        last: i64,
        /// That of its head, if it has one.
        head: Option<i64>,
    },
    /// The events up to a seal are not those that were sealed, behind the seal before it.
    #[error(
        "the seal at {position} does not fit: since it was made, something above position {after} was \
         changed, removed or put in"
    )]
    #[non_exhaustive]
    Seal {
        /// Up to where it seals the log.
        position: Position,
        /// The position of the seal before it; 0 if it is the first.
        after: Position,
    },
    /// Several events have the same id.
    #[error("several events have the id {event_id}")]
    #[non_exhaustive]
    SharedId {
        /// The id.
        event_id: Uuid,
    },
    /// A projection has applied more than the log has ever assigned: it was applied to another log.
    #[error("the checkpoint of {projection}, {checkpoint}, is beyond the end of the log, {end}")]
    #[non_exhaustive]
    Checkpoint {
        /// The projection.
        projection: ProjectionId,
        /// How far it has come.
        checkpoint: Position,
        /// The last position that was assigned.
        end: Position,
    },
    /// The last event that a projection has applied is not the one that the log has there.
    #[error("{projection} has applied the event {applied} at position {position}, where {found} is now")]
    #[non_exhaustive]
    OtherEvent {
        /// The projection.
        projection: ProjectionId,
        /// Where.
        position: Position,
        /// The id of the event that it has applied.
        applied: Uuid,
        /// The id of the event there.
        found: Uuid,
    },
}

fn at(head: &Option<i64>) -> String {
    head.map_or("missing".to_owned(), |version| format!("at version {version}"))
}
