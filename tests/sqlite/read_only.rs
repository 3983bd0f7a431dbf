use diesel::prelude::*;
use diesel_event_store::{
    AppendError, CheckpointError, DatabaseErrorKind, ExpectedVersion, MigrationError, Position,
    run_pending_migrations,
};
use diesel_migrations::MigrationHarness;
use test_support::sqlite_file::SqliteFile;

use super::database::{STORE, append_one, event, stream};

fn database_with_one_event() -> (SqliteFile, SqliteConnection) {
    let database = SqliteFile::migrated();
    append_one(&mut database.connect(), &stream("1"));
    let reader = database.connect_read_only();
    (database, reader)
}

#[test]
fn an_append_to_a_read_only_file_says_so() {
    let (_database, mut conn) = database_with_one_event();
    let refused = STORE.append(&mut conn, &stream("1"), ExpectedVersion::Any, &[event()]).unwrap_err();
    assert!(
        matches!(&refused, AppendError::Database(error) if error.kind() == DatabaseErrorKind::ReadOnly),
        "{refused}"
    );
    assert!(!refused.is_retryable());
    assert_eq!(STORE.version(&mut conn, &stream("1")).unwrap(), 1);
}

#[test]
fn a_checkpoint_in_a_read_only_file_says_so() {
    let (_database, mut conn) = database_with_one_event();
    let refused = STORE.save_checkpoint(&mut conn, "invoices", Position::START).unwrap_err();
    assert!(
        matches!(&refused, CheckpointError::Database(error) if error.kind() == DatabaseErrorKind::ReadOnly),
        "{refused}"
    );
}

#[test]
fn a_read_only_file_can_be_read() {
    let (_database, mut conn) = database_with_one_event();
    assert_eq!(STORE.version(&mut conn, &stream("1")).unwrap(), 1);
    assert_eq!(STORE.read_stream(&mut conn, &stream("1"), ..).unwrap().len(), 1);
    assert_eq!(STORE.read_forward(&mut conn, Position::START, 10).unwrap().len(), 1);
    assert_eq!(STORE.checkpoint(&mut conn, "invoices").unwrap(), None);
}

#[test]
fn an_application_can_start_on_a_read_only_file_when_nothing_is_pending() {
    let (_database, mut conn) = database_with_one_event();
    assert!(run_pending_migrations(&mut conn).unwrap().is_empty());
}

#[test]
fn a_start_on_a_read_only_file_without_any_migration_says_so() {
    let database = SqliteFile::absent();
    drop(database.connect());
    assert_refused_as_read_only(&database);
}

#[test]
fn a_start_on_a_read_only_file_with_one_migration_pending_says_so() {
    let database = SqliteFile::absent();
    database.connect().applied_migrations().unwrap(); // makes diesel's own table
    assert_refused_as_read_only(&database);
}

fn assert_refused_as_read_only(database: &SqliteFile) {
    let refused = run_pending_migrations(&mut database.connect_read_only()).unwrap_err();
    assert!(
        matches!(&refused, MigrationError::Database(error) if error.kind() == DatabaseErrorKind::ReadOnly),
        "{refused:?}"
    );
}

/// It is no transaction in the way.
#[cfg(feature = "transfer")]
#[test]
fn a_log_in_a_read_only_file_does_not_move() {
    use diesel_event_store::transfer::{CopyError, CopyOptions, copy};

    let (_database, mut from) = database_with_one_event();
    let mut to = SqliteFile::migrated().connect();
    match copy(&mut from, &mut to, &CopyOptions::to("elsewhere"), |_| true).unwrap_err() {
        CopyError::Database(error) => assert_eq!(error.kind(), DatabaseErrorKind::ReadOnly),
        other => panic!("{other:?}"),
    }
}
