use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel_event_store::sqlite::{Ticket, WriteError, Writer, WriterError};
use diesel_event_store::{Appended, Error, ExpectedVersion};
use test_support::sqlite_file::{SqliteFile, assert_intact};

use super::super::database::{STORE, append_one, count, event, stream};
use super::gate::Gate;

fn database_with_orders() -> SqliteFile {
    let database = SqliteFile::migrated();
    database.connect().batch_execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)").unwrap();
    database
}

/// A row of the application's and an event.
fn order(conn: &mut SqliteConnection, id: i64) -> Result<i64, Error> {
    diesel::sql_query(format!("INSERT INTO orders VALUES ({id})")).execute(conn)?;
    let appended = STORE.append(conn, &stream(&id.to_string()), ExpectedVersion::NoStream, &[event()])?;
    Ok(appended.version())
}

fn is(wanted: fn(&WriterError) -> bool) -> impl Fn(Error) -> bool {
    move |error| matches!(&error, Error::Writer(error) if wanted(error))
}

fn append(writer: &Writer, id: &str) -> Ticket<Appended, WriteError> {
    writer.append(&stream(id), ExpectedVersion::Any, [event()]).send()
}

#[test]
fn rows_and_events_of_a_closure_are_committed_together() {
    let database = database_with_orders();
    let writer = Writer::new(database.connect()).unwrap();
    assert_eq!(writer.transaction(|conn| order(conn, 1)).wait().unwrap(), 1);
    let mut conn = database.connect();
    assert_eq!((count(&mut conn, "orders"), count(&mut conn, "events")), (1, 1));
}

#[test]
fn an_error_of_a_closure_rolls_back_its_part_and_nobody_elses() {
    let database = database_with_orders();
    let writer = Writer::new(database.connect()).unwrap();
    let gate = Gate::close(&writer);
    let before = writer.transaction(|conn| order(conn, 1)).send();
    let failing = writer.transaction(|conn| order(conn, 2).and_then(|_| order(conn, 1))).send();
    let after = writer.transaction(|conn| order(conn, 3)).send();
    gate.open();
    before.wait().unwrap();
    assert!(matches!(failing.wait(), Err(Error::Database(_))));
    after.wait().unwrap();
    let mut conn = database.connect();
    assert_eq!((count(&mut conn, "orders"), count(&mut conn, "events")), (2, 2));
    assert_intact(&mut conn);
}

#[test]
fn a_panic_rolls_back_its_part_and_says_what_it_said() {
    let database = database_with_orders();
    let writer = Writer::new(database.connect()).unwrap();
    let gate = Gate::close(&writer);
    let before = append(&writer, "before");
    let panicking = writer
        .transaction::<(), Error>(|conn| {
            order(conn, 1)?;
            conn.transaction(|conn| {
                order(conn, 2)?;
                panic!("no order {}", 1)
            })
        })
        .send();
    let after = append(&writer, "after");
    gate.open();
    before.wait().unwrap();
    match panicking.wait() {
        Err(Error::Writer(WriterError::Panicked { message, .. })) => assert_eq!(message, "no order 1"),
        other => panic!("{other:?}"),
    }
    after.wait().unwrap();
    assert_eq!(writer.transaction(|conn| order(conn, 1)).wait().unwrap(), 1, "the writer goes on");
    let mut conn = database.connect();
    assert_eq!((count(&mut conn, "orders"), count(&mut conn, "events")), (1, 3));
    assert_intact(&mut conn);
}

#[test]
fn a_transaction_that_a_closure_leaves_open_is_rolled_back_alone() {
    let database = database_with_orders();
    let writer = Writer::new(database.connect()).unwrap();
    let gate = Gate::close(&writer);
    let before = append(&writer, "before");
    let leaving = writer
        .transaction(|conn| {
            AnsiTransactionManager::begin_transaction(conn)?;
            order(conn, 1)
        })
        .send();
    gate.open();
    before.wait().unwrap();
    assert!(is(|error| matches!(error, WriterError::LeftOpen))(leaving.wait().unwrap_err()));
    let mut conn = database.connect();
    assert_eq!((count(&mut conn, "orders"), count(&mut conn, "events")), (0, 1));
    assert_intact(&mut conn);
}

/// Nobody hears of a success that may not be one.
#[test]
fn a_transaction_that_a_closure_ends_by_hand_is_noticed_by_all_who_were_in_it() {
    for by_hand in ["COMMIT", "ROLLBACK", "ROLLBACK; BEGIN", "COMMIT; BEGIN IMMEDIATE"] {
        let database = database_with_orders();
        let writer = Writer::new(database.connect()).unwrap();
        let gate = Gate::close(&writer);
        let before = append(&writer, "before");
        let ending = writer
            .transaction(move |conn| {
                conn.batch_execute(by_hand)?;
                Ok::<_, Error>(())
            })
            .send();
        let after = append(&writer, "after");
        gate.open();
        let before = before.wait().unwrap_err();
        assert!(matches!(before, WriteError::Writer(WriterError::Interrupted)), "{by_hand}: {before}");
        assert!(is(|error| matches!(error, WriterError::Interrupted))(ending.wait().unwrap_err()));
        assert_eq!(after.wait().unwrap().version(), 1, "{by_hand}: a new group");
        assert_eq!(append(&writer, "after").wait().unwrap().version(), 2);
        let mut conn = database.connect();
        assert_eq!(STORE.version(&mut conn, &stream("before")).unwrap(), i64::from(by_hand.starts_with('C')));
        assert_intact(&mut conn);
    }
}

#[test]
fn a_savepoint_of_the_closures_own_is_its_own_affair() {
    let database = database_with_orders();
    let writer = Writer::new(database.connect()).unwrap();
    let nested = writer.transaction(|conn| {
        let lost = conn.transaction::<(), Error, _>(|conn| {
            order(conn, 1)?;
            Err(diesel::result::Error::RollbackTransaction.into())
        });
        assert!(lost.is_err());
        order(conn, 2)
    });
    nested.wait().unwrap();
    let mut conn = database.connect();
    assert_eq!((count(&mut conn, "orders"), count(&mut conn, "events")), (1, 1));
}

#[test]
fn a_closure_that_waits_for_its_own_writer_is_told_so() {
    let database = SqliteFile::migrated();
    let writer = Writer::new(database.connect()).unwrap();
    let inner = writer.clone();
    let waited = writer
        .transaction(move |_| {
            let waited = inner.append(&stream("1"), ExpectedVersion::Any, [event()]).wait();
            Ok::<_, Error>(matches!(waited, Err(WriteError::Writer(WriterError::WaitsForItself))))
        })
        .wait();
    assert!(waited.unwrap());
}

#[test]
fn a_closure_may_hold_the_last_handle() {
    let database = SqliteFile::migrated();
    let writer = Writer::new(database.connect()).unwrap();
    let gate = Gate::close(&writer);
    let last = writer.clone();
    let ticket = writer
        .transaction(move |conn| {
            drop(last);
            Ok::<_, Error>(append_one(conn, &stream("1")))
        })
        .send();
    gate.open();
    drop(writer);
    assert_eq!(ticket.wait().unwrap(), 1);
}

/// SQLite looks at a deferred foreign key when it commits, so it cannot be known whose it was.
#[test]
fn a_commit_that_fails_is_an_error_for_everybody_in_the_group() {
    let database = database_with_orders();
    let lines = "CREATE TABLE lines (of INTEGER REFERENCES orders DEFERRABLE INITIALLY DEFERRED)";
    database.connect().batch_execute(lines).unwrap();
    let writer = Writer::new(database.connect()).unwrap();
    let gate = Gate::close(&writer);
    let good = append(&writer, "good");
    let bad = writer
        .transaction(|conn| {
            conn.batch_execute("INSERT INTO lines VALUES (7)")?;
            Ok::<_, Error>(())
        })
        .send();
    gate.open();
    assert!(matches!(good.wait().unwrap_err(), WriteError::Writer(WriterError::Database(_))));
    assert!(is(|error| matches!(error, WriterError::Database(_)))(bad.wait().unwrap_err()));
    assert_eq!(append(&writer, "good").wait().unwrap().version(), 1);
    assert_eq!(count(&mut database.connect(), "lines"), 0);
}
