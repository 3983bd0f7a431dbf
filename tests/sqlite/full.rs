//! A limit on the pages of the database stands for the end of the disk: SQLite reports both in the same way.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::{AppendError, DatabaseErrorKind, Error, ExpectedVersion, NewEvent, StreamId};
use test_support::sqlite_file::{SqliteFile, assert_intact, number};

use super::database::{STORE, append_one, count, event, events, stream};
use super::statements::Watch;

/// A database with one event, which cannot grow any more.
fn full_database() -> (SqliteFile, SqliteConnection) {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    conn.batch_execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)").unwrap();
    append_one(&mut conn, &stream("1"));
    let pages = number(&mut conn, "SELECT page_count FROM pragma_page_count");
    conn.batch_execute(&format!("PRAGMA max_page_count = {pages}")).unwrap();
    (database, conn)
}

fn make_room(conn: &mut SqliteConnection) {
    conn.batch_execute("PRAGMA max_page_count = 100000").unwrap();
}

/// The first event has room on a page that is there; the second one needs more pages.
fn too_much() -> Vec<NewEvent> {
    vec![event(), NewEvent::new("Placed", &"x".repeat(50_000)).unwrap()]
}

fn assert_full(error: &AppendError) {
    assert!(
        matches!(error, AppendError::Database(error) if error.kind() == DatabaseErrorKind::Full),
        "{error:?}"
    );
    assert!(!error.is_retryable());
}

fn append(conn: &mut SqliteConnection, to: &StreamId, batch: &[NewEvent]) -> Result<(), AppendError> {
    STORE.append(conn, to, ExpectedVersion::Any, batch).map(drop)
}

#[test]
fn nothing_of_an_append_is_there_when_an_event_has_no_room() {
    let (_database, mut conn) = full_database();
    let watch = Watch::on(&mut conn);
    assert_full(&append(&mut conn, &stream("2"), &too_much()).unwrap_err());
    assert_eq!(watch.last_table().as_deref(), Some("events"));

    assert_eq!(STORE.version(&mut conn, &stream("2")).unwrap(), 0);
    assert_eq!(count(&mut conn, "events"), 1);
    assert_intact(&mut conn);
}

#[test]
fn nothing_of_an_append_is_there_when_the_head_has_no_room() {
    let (_database, mut conn) = full_database();
    let new_stream = stream(&"z".repeat(255));
    fill_the_page_of_heads(&mut conn);
    let watch = Watch::on(&mut conn);
    assert_full(&append(&mut conn, &new_stream, &[event()]).unwrap_err());
    assert_eq!(watch.last_table().as_deref(), Some("aggregate_heads"));

    make_room(&mut conn);
    conn.batch_execute("DELETE FROM aggregate_heads WHERE aggregate_type = 'Filler'").unwrap();
    assert_eq!(count(&mut conn, "events"), 1);
    assert_intact(&mut conn);
    assert_eq!(append_one(&mut conn, &new_stream), 1);
    assert_intact(&mut conn);
}

/// With heads as large as the longest id makes them, so that there is no room for another one.
fn fill_the_page_of_heads(conn: &mut SqliteConnection) {
    let refused = (1000..2000).find_map(|nth| {
        let head = format!("'', 'Filler', '{nth}{}', 1, '2026-11-22T05:12:45.403334Z', 0", "y".repeat(251));
        diesel::sql_query(format!("INSERT INTO aggregate_heads VALUES ({head})")).execute(conn).err()
    });
    assert!(refused.is_some_and(|error| error.to_string().contains("full")));
}

#[test]
fn the_same_connection_works_again_when_there_is_room() {
    let (_database, mut conn) = full_database();
    let batch = too_much();
    assert_full(&append(&mut conn, &stream("2"), &batch).unwrap_err());
    assert_full(&append(&mut conn, &stream("2"), &batch).unwrap_err());
    assert_eq!(append_one(&mut conn, &stream("1")), 2, "what is small still has room");

    make_room(&mut conn);
    append(&mut conn, &stream("2"), &batch).unwrap();
    assert_eq!(STORE.version(&mut conn, &stream("2")).unwrap(), 2);
    conn.immediate_transaction::<_, Error, _>(|conn| Ok(append(conn, &stream("2"), &too_much())?)).unwrap();
    assert_eq!(STORE.version(&mut conn, &stream("2")).unwrap(), 4);
    assert_intact(&mut conn);
}

#[test]
fn an_application_that_leaves_its_transaction_has_written_nothing_and_can_begin_again() {
    let (_database, mut conn) = full_database();
    let order_and_events = |conn: &mut SqliteConnection| {
        diesel::sql_query("INSERT INTO orders VALUES (1)").execute(conn)?;
        append(conn, &stream("1"), &[event()])?;
        append(conn, &stream("2"), &too_much()).inspect_err(assert_full)?;
        Ok(())
    };
    for _ in 0..2 {
        conn.immediate_transaction::<_, Error, _>(order_and_events).unwrap_err();
        assert_eq!(count(&mut conn, "orders"), 0);
        assert_eq!(count(&mut conn, "events"), 1);
        assert_intact(&mut conn);
    }

    make_room(&mut conn);
    conn.immediate_transaction::<_, Error, _>(order_and_events).unwrap();
    assert_eq!(count(&mut conn, "orders"), 1);
    assert_eq!(count(&mut conn, "events"), 4);
    assert_intact(&mut conn);
}

#[test]
fn an_application_whose_event_has_no_room_can_go_on_and_commit() {
    let (_database, mut conn) = full_database();
    conn.immediate_transaction::<_, Error, _>(|conn| {
        diesel::sql_query("INSERT INTO orders VALUES (1)").execute(conn)?;
        assert_full(&append(conn, &stream("2"), &too_much()).unwrap_err());
        append(conn, &stream("1"), &[event()])?;
        Ok(())
    })
    .unwrap();
    assert_eq!(count(&mut conn, "orders"), 1);
    assert_eq!(count(&mut conn, "events"), 2);
    assert_intact(&mut conn);
}

#[test]
fn an_application_whose_head_has_no_room_can_go_on_and_commit() {
    let (_database, mut conn) = full_database();
    fill_the_page_of_heads(&mut conn);
    let watch = Watch::on(&mut conn);
    conn.immediate_transaction::<_, Error, _>(|conn| {
        diesel::sql_query("INSERT INTO orders VALUES (1)").execute(conn)?;
        assert_full(&append(conn, &stream(&"z".repeat(255)), &[event()]).unwrap_err());
        assert_eq!(watch.last_table().as_deref(), Some("aggregate_heads"));
        append(conn, &stream("1"), &[event()])?;
        Ok(())
    })
    .unwrap();
    assert_eq!(count(&mut conn, "orders"), 1);
    assert_eq!(count(&mut conn, "events"), 2);
}

/// SQLite says the same of a count that has come to its end, however much room there is.
#[test]
fn a_log_without_a_next_position_is_not_full_but_in_need_of_repair() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    append_one(&mut conn, &stream("1"));
    conn.batch_execute("UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'events'").unwrap();
    for batch in [events(1), events(9)] {
        match STORE.append(&mut conn, &stream("2"), ExpectedVersion::Any, &batch) {
            Err(AppendError::Database(error)) => {
                assert_eq!(error.kind(), DatabaseErrorKind::NeedsRepair, "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(STORE.repair(&mut conn).unwrap().counted().map(|last| last.get()), Some(1));
    let appended = STORE.append(&mut conn, &stream("2"), ExpectedVersion::NoStream, &[event()]).unwrap();
    assert_eq!(appended.last_position().get(), 2);
    assert!(STORE.repair(&mut conn).unwrap().is_nothing());
}
