use std::fs;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::sqlite::Options;
use diesel_event_store::{
    AppendError, CheckpointError, DatabaseErrorKind, Error, ExpectedVersion, LogQuery, MigrationError,
    Position, ReadError, run_pending_migrations,
};
use test_support::sqlite_file::{SqliteFile, number};

use super::database::{STORE, event, events, stream};

/// What kind of failure of the database it is, if it is one.
fn kind_of(error: &Error) -> Option<DatabaseErrorKind> {
    match error {
        Error::Append(AppendError::Database(error))
        | Error::Read(ReadError::Database(error))
        | Error::Checkpoint(CheckpointError::Database(error))
        | Error::Migration(MigrationError::Database(error))
        | Error::Database(error) => Some(error.kind()),
        _ => None,
    }
}

type Operation = fn(&mut SqliteConnection) -> Result<(), Error>;

/// Everything that an application does with a database.
const OPERATIONS: [(&str, Operation); 10] = [
    ("apply", |conn| Ok(Options::default().apply(conn)?)),
    ("run_pending_migrations", |conn| Ok(run_pending_migrations(conn).map(drop)?)),
    ("version", |conn| Ok(STORE.version(conn, &stream("1")).map(drop)?)),
    ("read_stream", |conn| Ok(STORE.read_stream(conn, &stream("1"), ..).map(drop)?)),
    ("iter_log", |conn| {
        STORE.iter_log(conn, LogQuery::after(Position::START)).try_for_each(|event| event.map(drop))?;
        Ok(())
    }),
    ("read_event", |conn| Ok(STORE.read_event(conn, event().id()).map(drop)?)),
    ("last_position", |conn| Ok(STORE.last_position(conn).map(drop)?)),
    ("append", |conn| Ok(STORE.append(conn, &stream("1"), ExpectedVersion::Any, &events(50)).map(drop)?)),
    ("save_checkpoint", |conn| Ok(STORE.save_checkpoint(conn, "invoices", Position::START)?)),
    ("checkpoints", |conn| Ok(STORE.checkpoints(conn).map(drop)?)),
];

fn do_everything(conn: &mut SqliteConnection) -> Vec<(&'static str, Result<(), Error>)> {
    OPERATIONS.iter().map(|(name, operation)| (*name, operation(conn))).collect()
}

#[test]
fn a_text_file_is_not_taken_for_a_database() {
    let database = SqliteFile::absent();
    let letter = "Dear reader, this is a letter and not a database. ".repeat(100);
    fs::write(database.path(), &letter).unwrap();

    for (what, outcome) in do_everything(&mut database.connect_plainly()) {
        let error = outcome.expect_err(what);
        assert_eq!(kind_of(&error), Some(DatabaseErrorKind::Corrupt), "{what}: {error}");
        assert!(error.to_string().contains("not a database"), "{what}: {error}");
    }
    assert_eq!(fs::read_to_string(database.path()).unwrap(), letter);
}

#[test]
fn whichever_page_is_overwritten_the_error_says_that_the_file_is_damaged() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    for id in 0..30 {
        STORE.append(&mut conn, &stream(&id.to_string()), ExpectedVersion::NoStream, &events(20)).unwrap();
    }
    conn.batch_execute("PRAGMA wal_checkpoint(truncate)").unwrap();
    let page_size = number(&mut conn, "SELECT page_size FROM pragma_page_size") as usize;
    drop(conn);
    let sound = fs::read(database.path()).unwrap();

    // The first page also has the file's header: the text file above.
    let mut noticed = 0;
    let pages = sound.len() / page_size;
    for page in 1..pages {
        let mut damaged = sound.clone();
        damaged[page * page_size..(page + 1) * page_size].fill(0xA5);
        let copy = SqliteFile::absent();
        fs::write(copy.path(), damaged).unwrap();

        let outcomes = do_everything(&mut copy.connect_plainly());
        let errors = outcomes.iter().filter_map(|(what, outcome)| Some((what, outcome.as_ref().err()?)));
        let mut of_this_page = 0;
        for (what, error) in errors {
            assert_eq!(kind_of(error), Some(DatabaseErrorKind::Corrupt), "page {page}, {what}: {error}");
            of_this_page += 1;
        }
        noticed += usize::from(of_this_page > 0);
    }
    // A page that none of this has to look at goes unnoticed, in a part of an index for instance.
    assert!(noticed > pages / 2, "{noticed} of {pages} damaged pages were noticed");
}

#[test]
fn a_schema_that_sqlite_cannot_read_is_damage_too() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    conn.batch_execute(
        "PRAGMA writable_schema = on; \
         UPDATE sqlite_schema SET sql = 'CREATE TABLE events (' WHERE name = 'events'",
    )
    .unwrap();
    drop(conn);
    for (what, outcome) in do_everything(&mut database.connect_plainly()) {
        let error = outcome.expect_err(what);
        assert_eq!(kind_of(&error), Some(DatabaseErrorKind::Corrupt), "{what}: {error}");
    }
}

#[test]
fn bytes_that_changed_inside_a_page_are_an_error_or_pass_but_never_a_panic() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    STORE.append(&mut conn, &stream("1"), ExpectedVersion::NoStream, &events(200)).unwrap();
    conn.batch_execute("PRAGMA wal_checkpoint(truncate)").unwrap();
    drop(conn);
    let sound = fs::read(database.path()).unwrap();

    for offset in (4096..sound.len()).step_by(1009) {
        let mut damaged = sound.clone();
        damaged[offset..(offset + 16).min(sound.len())].fill(0xFF);
        let copy = SqliteFile::absent();
        fs::write(copy.path(), damaged).unwrap();
        do_everything(&mut copy.connect_plainly());
    }
}

#[test]
fn a_row_that_holds_what_no_event_can_have_is_an_error_and_not_altered() {
    let id = "'00000000-0000-0000-0000-000000000007'";
    let time = "'2026-11-22T05:12:45.403334Z'";
    for (event_id, payload, created_at, complaint) in [
        ("'seven'", "'1'", time, "event_id \"seven\""),
        (id, "'1'", "'yesterday'", "time \"yesterday\""),
        (id, "CAST(X'22ff22' AS TEXT)", time, "utf-8"),
    ] {
        let database = SqliteFile::migrated();
        let mut conn = database.connect();
        let row = format!(
            "NULL, '', 'Order', '1', 1, {event_id}, 'Placed', 1, {payload}, NULL, NULL, NULL, NULL, {created_at}"
        );
        conn.batch_execute(&format!("INSERT INTO events VALUES ({row})")).unwrap();

        let error = Error::from(STORE.read_stream(&mut conn, &stream("1"), ..).unwrap_err());
        assert_eq!(kind_of(&error), Some(DatabaseErrorKind::Unreadable), "{error}");
        assert!(error.to_string().contains(complaint), "{error}");
    }
}
