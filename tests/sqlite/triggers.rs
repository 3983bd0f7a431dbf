//! Triggers of the application's own on the tables of the store.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::{
    AppendBatch, AppendError, DatabaseErrorKind, Error, ExpectedVersion, NewEvent, StreamId,
};
use test_support::sqlite_file::{SqliteFile, assert_intact};

use super::database::{STORE, append_one, count, stream};

/// Leaves no row behind, and raises no error.
fn drop_rows(conn: &mut SqliteConnection, before: &str, condition: &str) {
    let create = format!(
        "CREATE TRIGGER drop_unwanted BEFORE {before} WHEN {condition} BEGIN SELECT RAISE(IGNORE); END"
    );
    conn.batch_execute(&create).unwrap();
}

fn filtered() -> StreamId {
    stream("filtered")
}

fn events(types: &[&'static str]) -> Vec<NewEvent> {
    types.iter().map(|name| NewEvent::new(*name, &()).unwrap()).collect()
}

fn append(conn: &mut SqliteConnection, types: &[&'static str]) -> Result<i64, AppendError> {
    Ok(STORE.append(conn, &filtered(), ExpectedVersion::Any, &events(types))?.version())
}

fn append_batch(conn: &mut SqliteConnection, types: &[&'static str]) -> Result<i64, AppendError> {
    let batch = AppendBatch::new().append(&filtered(), ExpectedVersion::Any, events(types));
    let batch = batch.idempotency_key(types.concat());
    Ok(STORE.append_batch(conn, &batch)?.streams()[0].version())
}

fn assert_refused(refused: impl Into<Error>, what: &str) {
    let refused = refused.into();
    let kind = DatabaseErrorKind::behind(&refused);
    assert_eq!(kind, Some(DatabaseErrorKind::UnsuitableSetting), "{refused}");
    assert!(refused.to_string().contains(what), "{refused}");
}

#[test]
fn one_that_drops_events_does_not_leave_a_part_of_an_append() {
    for append in [append, append_batch] {
        let database = SqliteFile::migrated();
        let mut conn = database.connect();
        append_one(&mut conn, &stream("before"));
        drop_rows(&mut conn, "INSERT ON events", "NEW.event_type = 'Unwanted'");
        for types in [&["Unwanted"][..], &["Wanted", "Unwanted"], &["Unwanted", "Wanted"], &["Unwanted"; 9]] {
            let dropped = types.iter().filter(|name| **name == "Unwanted").count();
            let what = format!("a trigger has kept {dropped} of {} events", types.len());
            assert_refused(append(&mut conn, types).unwrap_err(), &what);
            conn.immediate_transaction(|conn| -> Result<_, Error> {
                assert_refused(append(conn, types).unwrap_err(), &what);
                append_one(conn, &stream("beside"));
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(append(&mut conn, &["Wanted", "Wanted"]).unwrap(), 2, "nothing of the others is there");
        assert_eq!(count(&mut conn, "events"), 1 + 4 + 2);
        conn.batch_execute("DROP TRIGGER drop_unwanted").unwrap();
        assert_eq!(append(&mut conn, &["Unwanted"]).unwrap(), 3);
        assert_intact(&mut conn);
    }
}

#[test]
fn one_that_keeps_heads_where_they_are_is_named() {
    for before in ["INSERT ON aggregate_heads", "UPDATE ON aggregate_heads"] {
        let database = SqliteFile::migrated();
        let mut conn = database.connect();
        if before.starts_with("UPDATE") {
            append(&mut conn, &["First"]).unwrap();
        }
        let before_it = count(&mut conn, "events");
        drop_rows(&mut conn, before, "true");
        for append in [append, append_batch] {
            assert_refused(append(&mut conn, &["Second"]).unwrap_err(), "a trigger has kept the head");
        }
        assert_eq!(count(&mut conn, "events"), before_it);
    }
}

#[test]
fn one_that_keeps_keys_out_is_named() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    drop_rows(&mut conn, "INSERT ON append_keys", "true");
    assert_refused(append_batch(&mut conn, &["Keyed"]).unwrap_err(), "the idempotency key");
    assert_eq!(count(&mut conn, "events"), 0);
}

#[cfg(feature = "transfer")]
#[test]
fn one_that_drops_events_ends_an_import() {
    use diesel_event_store::transfer::{export, import};

    let (source, target) = (SqliteFile::migrated(), SqliteFile::migrated());
    let (mut from, mut to) = (source.connect(), target.connect());
    append(&mut from, &["Wanted", "Unwanted"]).unwrap();
    let mut file = Vec::new();
    export(&mut from, &mut file).unwrap();

    drop_rows(&mut to, "INSERT ON events", "NEW.event_type = 'Unwanted'");
    assert_refused(import(&mut to, || Ok(&*file)).unwrap_err(), "a trigger has kept 1 of 1 events");
    to.batch_execute("DROP TRIGGER drop_unwanted").unwrap();
    import(&mut to, || Ok(&*file)).unwrap();
    assert_eq!(count(&mut to, "events"), 2);
}
