//! A transaction that is begun right on every database, by the same code.

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel_event_store::{Error, EventConnection, EventStore, ExpectedVersion, NewEvent, write_transaction};
use test_support::{
    Result, TestDatabase, app_rows, at_once, count, counted, create_app_rows, insert_app_row, user,
};

tests! {
    rows_and_events_are_committed_together,
    an_error_rolls_everything_back,
    a_panic_leaves_no_transaction_open,
    inside_a_transaction_only_its_own_part_is_rolled_back,
    a_panic_inside_a_transaction_leaves_that_one_open,
    a_transaction_reads_decides_and_appends,
    writers_that_read_first_do_not_lock_each_other_out,
}

fn application<D: TestDatabase>() -> Result<(D, D::Conn)> {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    create_app_rows(&mut conn)?;
    Ok((db, conn))
}

/// The application's own row and an event, as each of the tests writes them.
fn write<C: EventConnection>(conn: &mut C, name: &str) -> Result {
    insert_app_row(conn, name)?;
    EventStore::new().append(conn, &user(name)?, ExpectedVersion::NoStream, &counted(1)?)?;
    Ok(())
}

fn assert_written<D: TestDatabase>(db: &D, names: &[&str]) -> Result {
    let mut other = db.connect()?;
    assert_eq!(app_rows(&mut other)?, names);
    assert_eq!(count(&mut other, "events")?, names.len() as i64);
    Ok(())
}

fn rows_and_events_are_committed_together<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let returned = write_transaction(&mut conn, |conn| -> Result<i32> {
        write(conn, "alice")?;
        Ok(7)
    })?;
    assert_eq!(returned, 7);
    assert_written(&db, &["alice"])
}

fn an_error_rolls_everything_back<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    write(&mut conn, "alice")?;
    let store = EventStore::new();
    let refused = write_transaction(&mut conn, |conn| -> Result<(), Error> {
        store.append(conn, &user("bob")?, ExpectedVersion::NoStream, &counted(1)?)?;
        store.append(conn, &user("alice")?, ExpectedVersion::NoStream, &counted(1)?)?;
        Ok(())
    });
    assert_eq!(refused.unwrap_err().conflict().expect("a conflict").actual, 1);
    assert_written(&db, &["alice"])?;
    write(&mut conn, "bob")?;
    assert_written(&db, &["alice", "bob"])
}

fn a_panic_leaves_no_transaction_open<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        write_transaction(&mut conn, |conn| -> Result {
            write(conn, "alice")?;
            panic!("on purpose");
        })
    }));
    assert!(panicked.is_err());
    write(&mut db.connect()?, "bob")?;
    write(&mut conn, "carol")?;
    assert_written(&db, &["bob", "carol"])
}

fn inside_a_transaction_only_its_own_part_is_rolled_back<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    diesel::Connection::transaction(&mut conn, |conn| -> Result {
        write(conn, "alice")?;
        let refused = write_transaction(conn, |conn| -> Result {
            write(conn, "bob")?;
            Err("changed my mind".into())
        });
        assert_eq!(refused.unwrap_err().to_string(), "changed my mind");
        write_transaction(conn, |conn| write(conn, "carol"))?;
        assert_written(&db, &[])
    })?;
    assert_written(&db, &["alice", "carol"])
}

fn a_panic_inside_a_transaction_leaves_that_one_open<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    write_transaction(&mut conn, |conn| -> Result {
        write(conn, "alice")?;
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            write_transaction(conn, |conn| -> Result {
                write(conn, "bob")?;
                panic!("on purpose");
            })
        }));
        assert!(panicked.is_err());
        write(conn, "carol")?;
        assert_written(&db, &[])
    })?;
    assert_written(&db, &["alice", "carol"])
}

fn a_transaction_reads_decides_and_appends<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    store.append(&mut conn, &alice, ExpectedVersion::NoStream, &counted(3)?)?;
    for _ in 0..2 {
        write_transaction(&mut conn, |conn| -> Result {
            let stream = store.read_stream(conn, &alice, ..)?;
            let decided = NewEvent::new("Decided", &stream.len())?;
            store.append(conn, &alice, ExpectedVersion::Exact(stream.version()), &[decided])?;
            insert_app_row(conn, "decided")?;
            Ok(())
        })?;
    }
    let mut other = db.connect()?;
    let stream = store.read_stream(&mut other, &alice, 4..)?;
    assert_eq!(stream.events().iter().map(|event| event.payload_json()).collect::<Vec<_>>(), ["3", "4"]);
    assert_eq!(app_rows(&mut other)?.len(), 2);
    Ok(())
}

/// On SQLite, a transaction that has read cannot wait for another that writes: it fails at once.
fn writers_that_read_first_do_not_lock_each_other_out<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let store = EventStore::new();
    let mut conns = (0..4).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    let outcomes = at_once(&mut conns, |nth, conn| -> Result {
        let own = user(&nth.to_string())?;
        for _ in 0..25 {
            write_transaction(conn, |conn| -> Result<(), Error> {
                let seen = store.version(conn, &own)?;
                store.append(conn, &own, ExpectedVersion::Exact(seen), &[NewEvent::new("Seen", &seen)?])?;
                Ok(())
            })?;
        }
        Ok(())
    });
    outcomes.into_iter().collect::<Result>()?;
    assert_eq!(count(&mut db.connect()?, "events")?, 100);
    Ok(())
}
