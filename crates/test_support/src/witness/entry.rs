use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_event_store::{EventConnection, RecordedEvent};

/// An event of the log, as far as the hunt is concerned.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Entry {
    #[diesel(sql_type = BigInt)]
    pub position: i64,
    #[diesel(sql_type = Text)]
    pub aggregate_type: String,
    #[diesel(sql_type = Text)]
    pub aggregate_id: String,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = Text)]
    pub event_type: String,
    #[diesel(sql_type = Text)]
    pub event_id: String,
}

impl From<&RecordedEvent> for Entry {
    fn from(event: &RecordedEvent) -> Self {
        Self {
            position: event.position().get(),
            aggregate_type: event.aggregate_type().to_owned(),
            aggregate_id: event.aggregate_id().to_owned(),
            version: event.version(),
            event_type: event.event_type().to_owned(),
            event_id: event.id().to_string(),
        }
    }
}

/// Everything after a position that is committed, whatever the event store lets its readers see.
pub fn committed_after<C: EventConnection + ?Sized>(conn: &mut C, position: i64) -> QueryResult<Vec<Entry>> {
    let sql = format!(
        "SELECT global_position AS position, aggregate_type, aggregate_id, aggregate_version AS version, event_type, \
         CAST(event_id AS CHAR(36)) AS event_id FROM events WHERE global_position > {position} \
         ORDER BY global_position"
    );
    on_any_database!(conn, conn => diesel::sql_query(sql).load(conn))
}
