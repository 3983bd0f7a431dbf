use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::sqlite::{JournalMode, Options, OptionsError, Synchronous};
use diesel_event_store::{
    DatabaseErrorKind, Error, ExpectedVersion, LogQuery, Position, Problem, run_pending_migrations,
};
use test_support::sqlite_file::SqliteFile;

use super::database::{STORE, append_one, events, pragma, stream};

const SETTINGS: [&str; 5] =
    ["busy_timeout", "journal_mode", "synchronous", "foreign_keys", "recursive_triggers"];

fn kind(error: OptionsError) -> DatabaseErrorKind {
    match error {
        OptionsError::Database(error) => error.kind(),
        other => panic!("{other}"),
    }
}

fn settings(conn: &mut SqliteConnection) -> [String; 5] {
    SETTINGS.map(|name| pragma(conn, name))
}

#[test]
fn the_defaults_wait_five_seconds_and_survive_a_power_failure() {
    let database = SqliteFile::absent();
    let mut conn = database.connect();
    assert_eq!(settings(&mut conn), ["5000", "wal", "2", "1", "0"]);
}

#[test]
fn every_option_can_be_changed() {
    let options = Options::default()
        .busy_timeout(Duration::from_millis(1234))
        .journal_mode(JournalMode::Delete)
        .synchronous(Synchronous::Normal)
        .foreign_keys(false)
        .recursive_triggers(true);
    let database = SqliteFile::absent();
    let mut conn = database.connect_with(options);
    assert_eq!(settings(&mut conn), ["1234", "delete", "1", "0", "1"]);
}

/// What SQLite takes for 0: the connection would not wait at all.
const TOO_LONG: Duration = Duration::from_millis(1 << 31);

#[test]
fn a_busy_timeout_that_sqlite_cannot_count_is_refused_before_anything_is_changed() {
    let database = SqliteFile::absent();
    let mut conn = database.connect_plainly();
    let before = settings(&mut conn);
    for duration in [TOO_LONG, Duration::MAX] {
        let refused = Options::default().busy_timeout(duration).apply(&mut conn).unwrap_err();
        assert!(!refused.is_retryable());
        let OptionsError::Invalid(invalid) = refused else { panic!("{refused}") };
        assert_eq!(invalid.field(), "busy_timeout");
        let Problem::DurationTooLong { duration: refused, limit, .. } = *invalid.problem() else {
            panic!("{invalid}")
        };
        assert_eq!((refused, limit), (duration, TOO_LONG - Duration::from_millis(1)));
        assert!(matches!(Error::from(OptionsError::from(invalid)), Error::Invalid(_)));
    }
    assert_eq!(settings(&mut conn), before);
}

#[test]
fn the_longest_and_the_shortest_busy_timeout_are_waited_for() {
    let longest = TOO_LONG - Duration::from_millis(1);
    for (timeout, milliseconds) in [(longest, "2147483647"), (Duration::from_nanos(1), "1")] {
        let database = SqliteFile::absent();
        let mut conn = database.connect_with(Options::default().busy_timeout(timeout));
        assert_eq!(pragma(&mut conn, "busy_timeout"), milliseconds);
    }
}

#[test]
fn a_file_leaves_wal_mode_when_it_is_told_to() {
    let database = SqliteFile::absent();
    assert_eq!(pragma(&mut database.connect(), "journal_mode"), "wal");
    let mut conn = database.connect_with(Options::default().journal_mode(JournalMode::Delete));
    assert_eq!(pragma(&mut conn, "journal_mode"), "delete");
}

#[test]
fn applying_them_to_a_file_in_wal_mode_takes_no_lock() {
    let database = SqliteFile::migrated();
    let (mut writer, mut starter) = (database.connect(), database.connect_plainly());
    writer
        .immediate_transaction(|_| Options::default().busy_timeout(Duration::ZERO).apply(&mut starter))
        .unwrap();
}

#[test]
fn a_change_of_the_journal_mode_waits_for_others_as_long_as_busy_timeout_says() {
    let database = SqliteFile::absent();
    let (mut writer, mut starter) = (database.connect_plainly(), database.connect_plainly());
    writer.batch_execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)").unwrap();
    let patience = Duration::from_millis(300);
    let begun = Instant::now();
    let refused = writer
        .immediate_transaction::<_, diesel::result::Error, _>(|_| {
            Ok(Options::default().busy_timeout(patience).apply(&mut starter))
        })
        .unwrap()
        .unwrap_err();
    assert_eq!(kind(refused), DatabaseErrorKind::Locked);
    assert!(begun.elapsed() >= patience, "gave up after {:?}", begun.elapsed());

    Options::default().apply(&mut starter).unwrap();
    assert_eq!(pragma(&mut starter, "journal_mode"), "wal");
}

#[test]
fn a_database_in_memory_keeps_its_own_journal() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    Options::default().apply(&mut conn).unwrap();
    assert_eq!(settings(&mut conn), ["5000", "memory", "2", "1", "0"]);
    run_pending_migrations(&mut conn).unwrap();
    assert_eq!(append_one(&mut conn, &stream("1")), 1);
}

#[test]
fn a_file_that_cannot_be_written_to_can_be_opened_if_it_is_in_wal_mode_already() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect_read_only();
    Options::default().apply(&mut conn).unwrap();
    assert_eq!(STORE.last_position(&mut conn).unwrap(), Position::START);

    let rollback_journal = SqliteFile::absent();
    rollback_journal.connect_plainly().batch_execute("CREATE TABLE orders (id INTEGER)").unwrap();
    let refused = Options::default().apply(&mut rollback_journal.connect_read_only()).unwrap_err();
    assert_eq!(kind(refused), DatabaseErrorKind::ReadOnly);
}

#[test]
fn a_lent_connection_keeps_its_settings() {
    const ALL: [&str; 11] = [
        "busy_timeout",
        "journal_mode",
        "synchronous",
        "foreign_keys",
        "recursive_triggers",
        "defer_foreign_keys",
        "cache_size",
        "temp_store",
        "query_only",
        "read_uncommitted",
        "max_page_count",
    ];
    let database = SqliteFile::absent();
    let mut conn = database.connect_plainly();
    conn.batch_execute(
        "PRAGMA busy_timeout = 77; PRAGMA journal_mode = persist; PRAGMA synchronous = off; \
         PRAGMA foreign_keys = off; PRAGMA recursive_triggers = on; PRAGMA cache_size = -777; \
         PRAGMA temp_store = memory; PRAGMA read_uncommitted = on; \
         PRAGMA max_page_count = 4444;",
    )
    .unwrap();
    let before = ALL.map(|name| pragma(&mut conn, name));

    run_pending_migrations(&mut conn).unwrap();
    run_pending_migrations(&mut conn).unwrap();
    let appended =
        STORE.append(&mut conn, &stream("1"), ExpectedVersion::NoStream, &events(3)).unwrap().into_events();
    STORE.append(&mut conn, &stream("1"), ExpectedVersion::NoStream, &events(1)).unwrap_err();
    STORE.append(&mut conn, &stream("2"), ExpectedVersion::Any, &appended_again(&appended)).unwrap_err();
    STORE.read_stream(&mut conn, &stream("1"), ..).unwrap();
    STORE.iter_log(&mut conn, LogQuery::after(Position::START)).for_each(|event| drop(event.unwrap()));
    STORE.save_checkpoint(&mut conn, "invoices", Position::START).unwrap();

    assert_eq!(ALL.map(|name| pragma(&mut conn, name)), before);
    assert_eq!(before[0], "77");
}

/// Events with ids that are taken.
fn appended_again(appended: &[diesel_event_store::RecordedEvent]) -> Vec<diesel_event_store::NewEvent> {
    events(appended.len()).into_iter().zip(appended).map(|(new, old)| new.with_id(old.id())).collect()
}

#[cfg(feature = "r2d2")]
#[test]
fn as_the_customizer_of_a_pool_they_apply_to_every_connection() {
    use diesel::r2d2::{ConnectionManager, Pool};

    let database = SqliteFile::absent();
    let pool = Pool::builder()
        .max_size(3)
        .connection_customizer(Box::new(Options::default().recursive_triggers(true)))
        .build(ConnectionManager::<SqliteConnection>::new(database.path().display().to_string()))
        .unwrap();
    let mut held: Vec<_> = (0..3).map(|_| pool.get().unwrap()).collect();
    for conn in &mut held {
        assert_eq!(settings(conn), ["5000", "wal", "2", "1", "1"]);
    }
}

#[cfg(feature = "r2d2")]
#[test]
fn a_pool_says_so_when_they_cannot_be_applied() {
    use diesel::r2d2::{ConnectionManager, Pool};

    let database = SqliteFile::absent();
    std::fs::write(database.path(), "not a database, though long enough to be looked at as if it were")
        .unwrap();
    let refused = Pool::builder()
        .max_size(1)
        .connection_timeout(Duration::from_millis(200))
        .connection_customizer(Box::new(Options::default()))
        .build(ConnectionManager::<SqliteConnection>::new(database.path().display().to_string()))
        .unwrap_err();
    assert!(refused.to_string().contains("file is not a database"), "{refused}");
}

#[cfg(feature = "r2d2")]
#[test]
fn a_pool_names_the_option_that_is_refused() {
    use diesel::r2d2::{ConnectionManager, Pool};

    let database = SqliteFile::absent();
    let refused = Pool::builder()
        .max_size(1)
        .connection_timeout(Duration::from_millis(200))
        .connection_customizer(Box::new(Options::default().busy_timeout(TOO_LONG)))
        .build(ConnectionManager::<SqliteConnection>::new(database.path().display().to_string()))
        .unwrap_err();
    assert!(refused.to_string().contains("busy_timeout is 2147483.648s"), "{refused}");
}
