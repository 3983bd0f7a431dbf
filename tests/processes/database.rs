//! The database that the processes share.

use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_event_store::sqlite::{Options, Synchronous};
use diesel_event_store::{EventStore, StreamId, run_pending_migrations};

pub const STORE: EventStore = EventStore::new();

pub struct Database {
    folder: tempfile::TempDir,
}

impl Database {
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
        connect(self.path(), Synchronous::Full)
    }
}

/// Waits for a lock however busy the machine is.
pub fn connect(path: impl AsRef<Path>, synchronous: Synchronous) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(&path.as_ref().display().to_string()).unwrap();
    let patient = Options::default().busy_timeout(Duration::from_secs(300)).synchronous(synchronous);
    patient.apply(&mut conn).unwrap();
    conn
}

pub fn stream(id: impl ToString) -> StreamId {
    StreamId::new("Counter", id).unwrap()
}

pub fn number(conn: &mut SqliteConnection, query: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        value: i64,
    }
    let row: Row = diesel::sql_query(format!("SELECT ({query}) AS value")).get_result(conn).unwrap();
    row.value
}

const STREAMS: &str = "(SELECT aggregate_type, aggregate_id, max(aggregate_version) AS last, \
     min(aggregate_version) AS first, count(*) AS events FROM events GROUP BY aggregate_type, aggregate_id)";

/// What SQLite itself checks, and the promises about versions, heads and positions.
pub fn assert_intact(conn: &mut SqliteConnection) {
    #[derive(QueryableByName)]
    struct Check {
        #[diesel(sql_type = Text)]
        integrity_check: String,
    }
    let check: Check = diesel::sql_query("PRAGMA integrity_check").get_result(conn).unwrap();
    assert_eq!(check.integrity_check, "ok");

    let none_of = [
        (
            "streams whose versions have a gap",
            format!("SELECT count(*) FROM {STREAMS} WHERE first <> 1 OR last <> events"),
        ),
        (
            "heads that are not the last version of their stream",
            format!(
                "SELECT count(*) FROM aggregate_heads FULL JOIN {STREAMS} USING (aggregate_type, aggregate_id) \
                 WHERE aggregate_version IS NOT last"
            ),
        ),
        (
            "events whose position does not grow with the version",
            "SELECT count(*) FROM (SELECT global_position, lag(global_position) OVER \
             (PARTITION BY aggregate_type, aggregate_id ORDER BY aggregate_version) AS previous FROM events) \
             WHERE previous >= global_position"
                .to_owned(),
        ),
    ];
    for (what, query) in none_of {
        assert_eq!(number(conn, &query), 0, "{what}");
    }
}
