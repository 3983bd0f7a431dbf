//! A database without the event store's tables: every operation says so, and what to do.

use diesel_event_store::uuid::Uuid;
use diesel_event_store::{
    DatabaseErrorKind, Error, EventStore, ExpectedVersion, LogQuery, NewEvent, Position, ReadError,
    run_pending_migrations,
};
use test_support::{Result, TestDatabase, create_app_rows, insert_app_row, table_exists, user};

tests! {
    appending_says_so,
    reading_says_so,
    checkpoints_say_so,
    the_connection_goes_on_and_can_migrate,
}

fn assert_not_migrated<T>(outcome: Result<T, impl Into<Error>>) {
    let error = outcome.err().map(Into::into).expect("there is no table to do that with");
    let database_error = match &error {
        Error::Append(diesel_event_store::AppendError::Database(error)) => error,
        Error::Read(ReadError::Database(error)) => error,
        Error::Checkpoint(diesel_event_store::CheckpointError::Database(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(database_error.kind(), DatabaseErrorKind::NotMigrated);
    assert!(!error.is_retryable());
    assert!(error.to_string().contains("call `run_pending_migrations`"), "{error}");
}

fn appending_says_so<D: TestDatabase>() -> Result {
    let db = D::create()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    let event = [NewEvent::new("UserCreated", &())?];
    for expected in [
        ExpectedVersion::Any,
        ExpectedVersion::NoStream,
        ExpectedVersion::StreamExists,
        ExpectedVersion::Exact(1),
    ] {
        assert_not_migrated(store.append(&mut conn, &alice, expected, &event));
    }
    Ok(())
}

fn reading_says_so<D: TestDatabase>() -> Result {
    let db = D::create()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    assert_not_migrated(store.version(&mut conn, &alice));
    assert_not_migrated(store.read_stream(&mut conn, &alice, ..));
    assert_not_migrated(store.iter_stream(&mut conn, &alice, ..).next().expect("an error"));
    assert_not_migrated(store.read_forward(&mut conn, Position::START, 10));
    assert_not_migrated(store.read_backward(&mut conn, Position::END, 10));
    let by_type = LogQuery::after(Position::START).event_types(["UserCreated"]);
    assert_not_migrated(store.read_log(&mut conn, &by_type, 10));
    assert_not_migrated(store.iter_log(&mut conn, by_type).next().expect("an error"));
    assert_not_migrated(store.read_event(&mut conn, Uuid::nil()));
    assert_not_migrated(store.last_position(&mut conn));
    Ok(())
}

fn checkpoints_say_so<D: TestDatabase>() -> Result {
    let db = D::create()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    assert_not_migrated(store.checkpoint(&mut conn, "projection"));
    assert_not_migrated(store.checkpoints(&mut conn));
    assert_not_migrated(store.save_checkpoint(&mut conn, "projection", Position::START));
    assert_not_migrated(store.rewind_checkpoint(&mut conn, "projection", Position::START));
    assert_not_migrated(store.delete_checkpoint(&mut conn, "projection"));
    Ok(())
}

fn the_connection_goes_on_and_can_migrate<D: TestDatabase>() -> Result {
    let db = D::create()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    let event = [NewEvent::new("UserCreated", &())?];
    assert_not_migrated(store.append(&mut conn, &alice, ExpectedVersion::Any, &event));
    assert!(!table_exists(&mut conn, "events"));

    create_app_rows(&mut conn)?;
    insert_app_row(&mut conn, "committed")?;
    run_pending_migrations(&mut conn)?;
    store.append(&mut conn, &alice, ExpectedVersion::NoStream, &event)?;
    assert_eq!(store.version(&mut db.connect()?, &alice)?, 1);
    Ok(())
}
