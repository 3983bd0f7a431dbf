//! What only SQLite can do with its file. These tests have no use for errors: each is a panic.

use std::path::PathBuf;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_event_store::run_pending_migrations;
use diesel_event_store::sqlite::Options;
use tempfile::TempDir;

/// A database file of its own for one test, gone when it is dropped.
pub struct SqliteFile {
    folder: TempDir,
}

impl SqliteFile {
    /// A place for a file, which is not there yet.
    pub fn absent() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn migrated() -> Self {
        let file = Self::absent();
        run_pending_migrations(&mut file.connect()).unwrap();
        file
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

const STREAMS: &str = "(SELECT tenant_id, aggregate_type, aggregate_id, max(aggregate_version) AS last, \
     min(aggregate_version) AS first, count(*) AS events FROM events \
     GROUP BY tenant_id, aggregate_type, aggregate_id)";

/// What SQLite itself checks, and the promises about versions, heads and positions.
pub fn assert_intact(conn: &mut SqliteConnection) {
    assert_eq!(text(conn, "SELECT group_concat(integrity_check) FROM pragma_integrity_check"), "ok");
    let none_of = [
        (
            "streams whose versions have a gap",
            format!("SELECT count(*) FROM {STREAMS} WHERE first <> 1 OR last <> events"),
        ),
        (
            "heads that are not the last version of their stream",
            format!(
                "SELECT count(*) FROM aggregate_heads \
                 FULL JOIN {STREAMS} USING (tenant_id, aggregate_type, aggregate_id) WHERE aggregate_version IS NOT last"
            ),
        ),
        (
            "events whose position does not grow with the version",
            "SELECT count(*) FROM (SELECT global_position, lag(global_position) OVER \
             (PARTITION BY tenant_id, aggregate_type, aggregate_id ORDER BY aggregate_version) AS previous FROM events) \
             WHERE previous >= global_position"
                .to_owned(),
        ),
    ];
    for (what, query) in none_of {
        assert_eq!(number(conn, &query), 0, "{what}");
    }
}
