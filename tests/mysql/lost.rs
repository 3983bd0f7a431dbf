//! A transaction that diesel believes in and the server has rolled back, as it does after a deadlock.

use std::sync::Barrier;

use diesel::connection::SimpleConnection;
use diesel::mysql::MysqlConnection;
use diesel::{Connection, RunQueryDsl};
use diesel_event_store::{
    DatabaseErrorKind, Error, ExpectedVersion, LogOrdering, Position, write_transaction,
};
use test_support::{Result, app_rows, count, counted, create_app_rows, execute, insert_app_row, user};

use super::database::{Database, STORE, append, begin, kind_of, rollback};

/// What an application does that goes on after an error, at this depth of nested transactions.
fn go_on(
    conn: &mut MysqlConnection,
    depth: u32,
    work: &mut dyn FnMut(&mut MysqlConnection) -> Result<(), Error>,
) -> Result<(), Error> {
    conn.transaction(|conn| {
        if depth > 1 {
            return go_on(conn, depth - 1, work);
        }
        conn.batch_execute("ROLLBACK")?;
        work(conn)
    })
}

#[test]
fn an_append_after_its_transaction_has_gone_writes_nothing() -> Result {
    for ordering in [LogOrdering::Fenced, LogOrdering::Gapless] {
        for depth in 1..=3 {
            for expected in [ExpectedVersion::Any, ExpectedVersion::NoStream, ExpectedVersion::Exact(1)] {
                let db = Database::migrated()?;
                let mut conn = db.connect()?;
                STORE.set_log_ordering(&mut conn, ordering)?;
                append(&mut conn, "before")?;
                let stream = if expected == ExpectedVersion::Exact(1) { "before" } else { "lost" };
                let lost = go_on(&mut conn, depth, &mut |conn| {
                    STORE.append(conn, &user(stream)?, expected, &counted(1)?)?;
                    Ok(())
                });
                let lost = lost.expect_err("the transaction has gone");
                assert!(!lost.is_retryable(), "{lost}");
                assert_eq!(kind_of(lost), DatabaseErrorKind::TransactionEnded);
                let mut other = db.connect()?;
                assert_eq!((count(&mut other, "events")?, count(&mut other, "aggregate_heads")?), (1, 1));
            }
        }
    }
    Ok(())
}

#[test]
fn a_checkpoint_is_not_saved_after_its_transaction_has_gone() -> Result {
    for depth in 1..=3 {
        let db = Database::migrated()?;
        let mut conn = db.connect()?;
        let lost = go_on(&mut conn, depth, &mut |conn| {
            STORE.save_checkpoint(conn, "projection", Position::new(7)?)?;
            Ok(())
        });
        // Of nested ones, diesel reports that its own savepoint is not there.
        let kind = if depth == 1 { DatabaseErrorKind::TransactionEnded } else { DatabaseErrorKind::Deadlock };
        assert_eq!(kind_of(lost.expect_err("the transaction has gone")), kind);
        assert!(STORE.checkpoint(&mut db.connect()?, "projection")?.is_none());
    }
    Ok(())
}

#[test]
fn the_connection_is_as_good_as_before_when_the_transaction_is_run_again() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    go_on(&mut conn, 2, &mut |conn| append(conn, "lost").map(drop).map_err(Error::from))
        .expect_err("the transaction has gone");
    let again = conn.transaction(|conn| conn.transaction(|conn| append(conn, "again")));
    match again {
        Ok(appended) => assert_eq!(appended.version(), 1),
        // diesel may hold it for broken: then a new one is needed.
        Err(error) => assert_eq!(kind_of(error), DatabaseErrorKind::ConnectionLost),
    }
    Ok(())
}

/// A COMMIT would succeed.
#[test]
fn a_write_transaction_that_has_gone_is_not_taken_for_committed() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    let lost = write_transaction::<_, _, Error>(&mut conn, |conn| {
        append(conn, "lost")?;
        Ok(conn.batch_execute("ROLLBACK")?)
    });
    let lost = lost.expect_err("nothing is committed");
    assert_eq!(kind_of(lost), DatabaseErrorKind::TransactionEnded);
    write_transaction::<_, _, Error>(&mut conn, |conn| Ok(append(conn, "again")?))?;
    assert_eq!(count(&mut db.connect()?, "events")?, 1);
    Ok(())
}

/// Neither what comes inside it, nor what comes after it has failed.
#[test]
fn nothing_goes_on_around_a_nested_write_transaction_after_the_transaction_has_gone() -> Result {
    let db = Database::migrated()?;
    create_app_rows(&mut db.connect()?)?;
    for is_gone_before in [true, false] {
        let mut conn = db.connect()?;
        let lost = write_transaction::<_, (), Error>(&mut conn, |conn| {
            if is_gone_before {
                conn.batch_execute("ROLLBACK")?;
            }
            let nested = write_transaction::<_, (), Error>(conn, |conn| {
                if is_gone_before {
                    insert_app_row(conn, "on its own")?;
                } else {
                    conn.batch_execute("ROLLBACK")?;
                }
                Err(diesel::result::Error::RollbackTransaction.into())
            });
            Err(nested.expect_err("it is rolled back"))
        });
        // An error before may have told why.
        let kind =
            if is_gone_before { DatabaseErrorKind::TransactionEnded } else { DatabaseErrorKind::Deadlock };
        assert_eq!(kind_of(lost.expect_err("nothing is committed")), kind);
        assert!(app_rows(&mut db.connect()?)?.is_empty());
    }
    Ok(())
}

/// The application notes that the append has failed, and goes on.
#[test]
fn a_write_transaction_that_a_deadlock_has_rolled_back_is_not_taken_for_committed() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut other, mut admin) = (db.connect()?, db.connect()?, db.connect()?);
    create_app_rows(&mut conn)?;
    execute(&mut conn, "CREATE TABLE numbers (n INT PRIMARY KEY)")?;
    execute(&mut conn, "INSERT INTO numbers VALUES (1)")?;
    append(&mut conn, "same")?;
    begin(&mut other)?;
    append(&mut other, "same")?;
    // The one that has changed more rows goes on.
    for n in 2..100 {
        execute(&mut other, &format!("INSERT INTO numbers VALUES ({n})"))?;
    }
    let met = Barrier::new(2);
    let lost = std::thread::scope(|scope| -> Result<_> {
        let writer = scope.spawn(|| {
            write_transaction::<_, _, Error>(&mut conn, |conn| {
                insert_app_row(conn, "before")?;
                diesel::sql_query("UPDATE numbers SET n = 0 WHERE n = 1").execute(conn)?;
                met.wait();
                let failed = append(conn, "same").expect_err("a deadlock");
                assert_eq!(kind_of(failed), DatabaseErrorKind::Deadlock);
                Ok(insert_app_row(conn, "after")?)
            })
        });
        met.wait();
        execute(&mut other, "UPDATE numbers SET n = 1000 WHERE n = 1")?;
        rollback(&mut other)?;
        Ok(writer.join().expect("no panic"))
    })?;
    assert_eq!(kind_of(lost.expect_err("it was rolled back")), DatabaseErrorKind::TransactionEnded);
    assert!(!app_rows(&mut admin)?.contains(&"before".to_owned()));
    Ok(())
}

/// What commits by itself would do so each time that the transaction is run again.
#[test]
fn what_a_statement_of_the_application_has_committed_is_not_to_be_run_again() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    let attempt = |conn: &mut MysqlConnection, table: &str| -> Result<(), Error> {
        conn.batch_execute(&format!("CREATE TABLE {table} (n INT)"))?;
        append(conn, "event")?;
        Ok(())
    };
    let refusals = [
        conn.transaction(|conn| attempt(conn, "plain")),
        write_transaction(&mut db.connect()?, |conn| attempt(conn, "writing")),
        write_transaction(&mut db.connect()?, |conn| {
            append(conn, "event")?;
            Ok(conn.batch_execute("CREATE TABLE last (n INT)")?)
        }),
        write_transaction(&mut db.connect()?, |conn| {
            write_transaction::<_, _, Error>(conn, |conn| {
                Ok(conn.batch_execute("CREATE TABLE nested (n INT)")?)
            })
        }),
    ];
    for (nth, refused) in refusals.into_iter().enumerate() {
        let refused = refused.err().ok_or(format!("{nth} was taken for committed"))?;
        assert!(!refused.is_retryable(), "{nth}: {refused}");
        assert!(refused.to_string().contains("CREATE"), "{nth}: {refused}");
        assert!(refused.to_string().contains("deadlock"), "{nth}: {refused}");
        assert_eq!(kind_of(refused), DatabaseErrorKind::TransactionEnded);
    }
    assert_eq!(count(&mut db.connect()?, "events")?, 1, "which was committed with the table");
    Ok(())
}
