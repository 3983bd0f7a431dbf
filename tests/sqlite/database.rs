//! A database file of its own for each test, and the few things that nearly all of them do.

use std::path::PathBuf;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_event_store::sqlite::Options;
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId, run_pending_migrations};

pub const STORE: EventStore = EventStore::new();

pub struct Database {
    folder: tempfile::TempDir,
}

impl Database {
    /// A place for a file, which is not there yet.
    pub fn absent() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn migrated() -> Self {
        let database = Self::absent();
        run_pending_migrations(&mut database.connect()).unwrap();
        database
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("shop.db")
    }

    pub fn connect(&self) -> SqliteConnection {
        self.connect_with(Options::default())
    }

    pub fn connect_with(&self, options: Options) -> SqliteConnection {
        let mut conn = self.connect_plainly();
        options.apply(&mut conn).unwrap();
        conn
    }

    /// As diesel opens it, with SQLite's own settings.
    pub fn connect_plainly(&self) -> SqliteConnection {
        SqliteConnection::establish(&self.path().display().to_string()).unwrap()
    }

    pub fn connect_read_only(&self) -> SqliteConnection {
        SqliteConnection::establish(&format!("file:{}?mode=ro", self.path().display())).unwrap()
    }
}

pub fn stream(id: &str) -> StreamId {
    StreamId::new("Order", id).unwrap()
}

pub fn event() -> NewEvent {
    NewEvent::new("Placed", &serde_json::json!({ "cents": 1250 })).unwrap()
}

pub fn events(count: usize) -> Vec<NewEvent> {
    (0..count).map(|_| event()).collect()
}

/// A version after appending one event to whatever is there.
pub fn append_one(conn: &mut SqliteConnection, stream: &StreamId) -> i64 {
    STORE.append(conn, stream, ExpectedVersion::Any, &[event()]).unwrap().version()
}

/// The one value that this expression or query has, as text; `NULL` as the word.
pub fn text(conn: &mut SqliteConnection, sql: &str) -> String {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Text>)]
        value: Option<String>,
    }
    let row: Row =
        diesel::sql_query(format!("SELECT CAST(({sql}) AS TEXT) AS value")).get_result(conn).unwrap();
    row.value.unwrap_or_else(|| "NULL".into())
}

pub fn number(conn: &mut SqliteConnection, sql: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        value: i64,
    }
    let row: Row = diesel::sql_query(format!("SELECT ({sql}) AS value")).get_result(conn).unwrap();
    row.value
}

pub fn count(conn: &mut SqliteConnection, table: &str) -> i64 {
    number(conn, &format!("SELECT count(*) FROM {table}"))
}

pub fn pragma(conn: &mut SqliteConnection, name: &str) -> String {
    text(conn, &format!("SELECT * FROM pragma_{name}"))
}

/// What SQLite itself checks, and that heads, versions and positions belong together.
pub fn assert_intact(conn: &mut SqliteConnection) {
    assert_eq!(text(conn, "SELECT group_concat(integrity_check) FROM pragma_integrity_check"), "ok");
    let streams = "SELECT aggregate_type, aggregate_id, max(aggregate_version) AS last, count(*) AS events \
                   FROM events GROUP BY aggregate_type, aggregate_id";
    let gaps = number(conn, &format!("SELECT count(*) FROM ({streams}) WHERE last <> events"));
    assert_eq!(gaps, 0, "streams whose versions have a gap");
    let heads = format!(
        "SELECT count(*) FROM aggregate_heads FULL JOIN ({streams}) USING (aggregate_type, aggregate_id) \
         WHERE aggregate_version IS NOT last"
    );
    assert_eq!(number(conn, &heads), 0, "heads that are not the last version of their stream");
}
