use uuid::Uuid;

use crate::model::json::Json;

/// The state of an aggregate, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Of the last event that is folded into it.
    pub(crate) version: i64,
    /// The id of that event, so that a log in which another event has its place is told apart.
    pub(crate) event_id: Uuid,
    pub(crate) state: Json,
}
