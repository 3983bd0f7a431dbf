use diesel::mysql::MysqlConnection;
use diesel_event_store::{EventStore, ExpectedVersion, LogOrdering, LogQuery, NewEvent, Position, StreamId};

use crate::statements::statements_of;

/// What this crate sends to MySQL.
pub struct Statements {
    pub begin: String,
    pub create_head: String,
    pub advance_head: String,
    pub enter_fence: String,
    pub count_positions: String,
    pub insert_1: String,
    pub insert_2: String,
    pub insert_8: String,
    pub last_insert_id: String,
    pub commit: String,
    pub look: String,
    pub page: String,
    pub stream: String,
}

impl Statements {
    /// Watches this crate at work on an empty database.
    pub fn watch(conn: &mut MysqlConnection) -> Self {
        let store = EventStore::new();
        let stream = StreamId::new("Order", 1).expect("a name");
        let events = |number| -> Vec<_> {
            (0..number).map(|_| NewEvent::new("OrderPlaced", &()).expect("JSON")).collect()
        };
        let [begin, create_head, enter_fence, insert_1, last_insert_id, commit] =
            statements_of(conn, |conn| {
                store.append(conn, &stream, ExpectedVersion::NoStream, &events(1)).expect("the append");
            });
        let [_, advance_head, _, insert_8, _, insert_2, _, _] = statements_of(conn, |conn| {
            store.append(conn, &stream, ExpectedVersion::Exact(1), &events(10)).expect("the append");
        });
        store.last_position(conn).expect("the position");
        let [look, page] = statements_of(conn, |conn| {
            store.read_log(conn, &LogQuery::after(Position::START), 10).expect("the page");
        });
        let [stream_of] = statements_of(conn, |conn| {
            store.read_stream(conn, &stream, ..).expect("the stream");
        });
        store.set_log_ordering(conn, LogOrdering::Gapless).expect("the ordering");
        let [_, _, _, count_positions, ..] = statements_of::<_, 7>(conn, |conn| {
            store.append(conn, &stream, ExpectedVersion::Exact(11), &events(1)).expect("the append");
        });
        Self {
            begin,
            create_head,
            advance_head,
            enter_fence,
            count_positions,
            insert_1,
            insert_2,
            insert_8,
            last_insert_id,
            commit,
            look,
            page,
            stream: stream_of,
        }
    }
}
