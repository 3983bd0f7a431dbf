use std::time::Duration;

use diesel::prelude::*;
use diesel_event_store::sqlite::Options;
use diesel_event_store::{DatabaseErrorKind, MigrationError, run_pending_migrations};
use test_support::sqlite_file::SqliteFile;

use super::database::count;

#[test]
fn a_start_with_nothing_pending_does_not_wait_for_a_writer() {
    let database = SqliteFile::migrated();
    let (mut writer, mut starter) = (database.connect(), impatient(&database));
    let applied = writer.immediate_transaction(|_| run_pending_migrations(&mut starter)).unwrap();
    assert!(applied.is_empty());
}

#[test]
fn a_start_with_something_pending_says_that_a_writer_is_in_the_way() {
    let database = SqliteFile::absent();
    let (mut writer, mut starter) = (database.connect(), impatient(&database));
    let refused = writer
        .immediate_transaction::<_, diesel::result::Error, _>(|_| Ok(run_pending_migrations(&mut starter)))
        .unwrap()
        .unwrap_err();
    assert!(refused.is_retryable(), "{refused}");
    assert!(
        matches!(&refused, MigrationError::Database(error) if error.kind() == DatabaseErrorKind::Locked),
        "{refused}"
    );

    assert_eq!(run_pending_migrations(&mut starter).unwrap().len(), 1);
    assert_eq!(count(&mut starter, "events"), 0);
}

fn impatient(database: &SqliteFile) -> SqliteConnection {
    database.connect_with(Options::default().busy_timeout(Duration::ZERO))
}
