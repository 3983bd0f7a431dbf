use chrono::{DateTime, Utc};
use diesel::result::QueryResult;
use uuid::Uuid;

use crate::model::position::Position;
use crate::storage::operations::operations;

operations! {
    one by one:
    /// Single places in the log.
    pub(crate) trait Places {
        /// The id of the event at a position, if there is one.
        fn event_id_at(&mut self, position: Position) -> QueryResult<Option<Uuid>>;

        /// When the first committed event after a position was created, whether or not the log is complete up
        /// to there.
        fn created_after(&mut self, position: Position) -> QueryResult<Option<DateTime<Utc>>>;

        /// The first committed event, by position, that was created at this time or later. It walks over the
        /// events before.
        fn first_since(&mut self, time: DateTime<Utc>) -> QueryResult<Option<Position>>;
    }
}
