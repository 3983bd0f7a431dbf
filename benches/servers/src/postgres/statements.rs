use diesel::pg::PgConnection;
use diesel_event_store::{EventStore, Position};
use diesel_event_store::{ExpectedVersion, LogQuery, NewEvent, StreamId};

use crate::statements::statements_of;

/// What this crate sends to PostgreSQL.
pub struct Statements {
    pub create: String,
    pub append: String,
    pub safe_position: String,
    pub last_position: String,
    pub page: String,
    pub stream: String,
}

impl Statements {
    /// Watches this crate at work on an empty database.
    pub fn watch(conn: &mut PgConnection) -> Self {
        let store = EventStore::new();
        let stream = StreamId::new("Order", 1).expect("a name");
        let event = || [NewEvent::new("OrderPlaced", &()).expect("JSON")];

        let [create] = statements_of(conn, |conn| {
            store.append(conn, &stream, ExpectedVersion::NoStream, &event()).expect("the append");
        });
        let [append] = statements_of(conn, |conn| {
            store.append(conn, &stream, ExpectedVersion::Exact(1), &event()).expect("the append");
        });
        let [safe_position, page] = statements_of(conn, |conn| {
            store.read_log(conn, &LogQuery::after(Position::START), 10).expect("the page");
        });
        let [_, last_position] = statements_of(conn, |conn| {
            store.last_position(conn).expect("the position");
        });
        let [stream] = statements_of(conn, |conn| {
            store.read_stream(conn, &stream, ..).expect("the stream");
        });
        Self { create, append, safe_position, last_position, page, stream }
    }
}
