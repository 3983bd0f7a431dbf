//! What an import does to a database and a connection of SQLite.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::sqlite::Options;
use diesel_event_store::transfer::{ImportError, Imported, export, import};
use diesel_event_store::{DatabaseErrorKind, ExpectedVersion, Position};
use test_support::counted;
use test_support::sqlite_file::{SqliteFile, assert_intact, number};

use super::database::{STORE, count, stream};

fn file() -> Vec<u8> {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    STORE.append(&mut conn, &stream("1"), ExpectedVersion::NoStream, &counted(1_000).unwrap()).unwrap();
    let mut file = Vec::new();
    export(&mut conn, &mut file).unwrap();
    file
}

/// From how many pages on a commit copies the write-ahead log into the database.
fn pages(conn: &mut SqliteConnection) -> i32 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        wal_autocheckpoint: i32,
    }
    let row: Row = diesel::sql_query("PRAGMA wal_autocheckpoint").get_result(conn).unwrap();
    row.wal_autocheckpoint
}

fn imported(conn: &mut SqliteConnection, file: &[u8]) -> Result<Imported, ImportError> {
    import(conn, || Ok(file))
}

/// Nothing is wrong with the file, although its events are in the store.
#[test]
fn what_another_import_of_the_file_has_locked_is_imported_later() {
    let (file, database) = (file(), SqliteFile::migrated());
    let mut other = database.connect();
    let mut conn = database.connect_with(Options::default().busy_timeout(Duration::from_millis(100)));
    // The other one is faster, once this one has begun.
    let mut openings = 0;
    let locked = import(&mut conn, || {
        openings += 1;
        if openings == 2 {
            imported(&mut other, &file).unwrap();
            other.batch_execute("BEGIN IMMEDIATE").unwrap();
        }
        Ok(&*file)
    });
    match locked {
        Err(ImportError::Database(error)) => assert_eq!(error.kind(), DatabaseErrorKind::Locked),
        other => panic!("{other:?}"),
    }
    other.batch_execute("ROLLBACK").unwrap();
    assert_eq!(imported(&mut conn, &file).unwrap().skipped(), 1_000);
}

/// The file is whole when it is checked, and not any more when it is imported.
fn cut_meanwhile(conn: &mut SqliteConnection, file: &[u8]) -> Result<Imported, ImportError> {
    let mut lengths = [file.len(), file.len() / 2].into_iter();
    import(conn, || Ok(&file[..lengths.next().expect("it is opened twice")]))
}

#[test]
fn the_connection_is_as_it_was() {
    let file = file();
    for wanted in [1_000, 7, 0, 30_000] {
        let database = SqliteFile::migrated();
        let mut conn = database.connect();
        conn.batch_execute(&format!("PRAGMA wal_autocheckpoint = {wanted}")).unwrap();
        assert!(cut_meanwhile(&mut conn, &file).is_err());
        assert!(STORE.log_closed(&mut conn).unwrap().is_some(), "it had begun");
        assert_eq!(pages(&mut conn), wanted, "after a file that was cut meanwhile");
        imported(&mut conn, &file).unwrap();
        assert_eq!(pages(&mut conn), wanted);
    }
}

/// Readers would look every page up in a long one.
#[test]
fn no_long_write_ahead_log_is_left() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    imported(&mut conn, &file()).unwrap();
    let pages = number(&mut conn, "SELECT page_count FROM pragma_page_count");
    let bytes = std::fs::metadata(database.path()).unwrap().len();
    assert_eq!(bytes, 4_096 * u64::try_from(pages).unwrap(), "all pages are in the database");
}

#[test]
fn an_import_goes_on_once_a_full_disk_has_room() {
    let (file, database) = (file(), SqliteFile::migrated());
    let mut conn = database.connect();
    let pages = number(&mut conn, "SELECT page_count FROM pragma_page_count");
    conn.batch_execute(&format!("PRAGMA max_page_count = {}", pages + 20)).unwrap();
    match imported(&mut conn, &file) {
        Err(ImportError::Database(error)) => assert_eq!(error.kind(), DatabaseErrorKind::Full),
        other => panic!("{other:?}"),
    }
    assert_eq!(count(&mut conn, "events"), 0);
    assert!(STORE.log_closed(&mut conn).unwrap().is_some(), "it is filled");

    conn.batch_execute("PRAGMA max_page_count = 100000").unwrap();
    assert_eq!(imported(&mut conn, &file).unwrap().events(), 1_000);
    assert_eq!(STORE.log_closed(&mut conn).unwrap(), None);
    assert_eq!(STORE.read_forward(&mut conn, Position::START, 2_000).unwrap().len(), 1_000);
    assert_intact(&mut conn);
}
