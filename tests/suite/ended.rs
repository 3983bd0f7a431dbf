//! Transactions that the application has ended by SQL, which diesel need not know of.

use diesel::result::{DatabaseErrorKind as DieselKind, Error as DieselError};
use diesel_event_store::{
    ConnectionRef, DatabaseErrorKind, Error, EventConnection, EventStore, ExpectedVersion, RunAgain,
    write_transaction,
};
use test_support::{
    Result, TestDatabase, app_rows, count, counted, create_app_rows, execute, insert_app_row, user,
};

tests! {
    what_has_committed_is_not_run_again,
    what_has_committed_is_not_run_again_for_an_error_of_another_database,
    what_has_committed_is_not_run_again_whatever_the_error_says,
    what_has_committed_is_not_run_again_after_a_statement_has_failed,
    what_is_refused_after_a_commit_is_not_run_again,
    what_has_rolled_back_is_not_run_again,
    what_has_ended_is_not_reported_as_committed,
    the_connection_can_be_used_again,
}

const STORE: EventStore = EventStore::new();

/// How a transaction ends and another is there in its place.
const AND_BEGIN: [&str; 2] = ["COMMIT; BEGIN", "COMMIT AND CHAIN"];

/// An application's error, which always asks for another run.
#[derive(Debug)]
enum Busy {
    Busy,
    Database(DieselError),
}

impl RunAgain for Busy {
    fn may_run_again(&self) -> bool {
        true
    }
}

impl From<DieselError> for Busy {
    fn from(error: DieselError) -> Self {
        Self::Database(error)
    }
}

fn application<D: TestDatabase>() -> Result<(D, D::Conn)> {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    create_app_rows(&mut conn)?;
    Ok((db, conn))
}

/// SQLite does not know COMMIT AND CHAIN.
fn and_begin<C: EventConnection>(conn: &mut C) -> &'static [&'static str] {
    if is_sqlite(conn) { &AND_BEGIN[..1] } else { &AND_BEGIN }
}

fn is_sqlite<C: EventConnection>(conn: &mut C) -> bool {
    match conn.lend() {
        #[cfg(feature = "sqlite")]
        ConnectionRef::Sqlite(_) => true,
        _ => false,
    }
}

fn is_mysql<C: EventConnection>(conn: &mut C) -> bool {
    match conn.lend() {
        #[cfg(feature = "mysql")]
        ConnectionRef::Mysql(_) => true,
        _ => false,
    }
}

fn lose_a_race<C: EventConnection>(conn: &mut C) -> Result<(), Error> {
    STORE.append(conn, &user("alice")?, ExpectedVersion::Exact(99), &counted(1).expect("it is JSON"))?;
    Ok(())
}

fn assert_ended(outcome: Result<(), Error>, what: &str) {
    let kind = outcome.as_ref().err().and_then(|error| DatabaseErrorKind::behind(error));
    assert_eq!(kind, Some(DatabaseErrorKind::TransactionEnded), "{what}: {outcome:?}");
}

/// Runs a transaction that writes a row, ends and fails. The row is there once.
fn assert_runs_once<D: TestDatabase>(
    end: &str,
    mut fail: impl FnMut(&mut D::Conn) -> Result<(), Error>,
) -> Result {
    let (db, mut conn) = application::<D>()?;
    let outcome = STORE.transaction(&mut conn, |conn| {
        insert_app_row(conn, "row")?;
        execute(conn, end)?;
        fail(conn)
    });
    assert_ended(outcome, end);
    assert_eq!(app_rows(&mut db.connect()?)?, ["row"], "{end}");
    Ok(())
}

fn what_has_committed_is_not_run_again<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    for end in and_begin(&mut conn) {
        assert_runs_once::<D>(end, lose_a_race)?;
    }
    Ok(())
}

/// It says nothing about the transaction of this one.
fn what_has_committed_is_not_run_again_for_an_error_of_another_database<D: TestDatabase>() -> Result {
    let gave_way = |message: &str| {
        DieselError::DatabaseError(DieselKind::SerializationFailure, Box::new(message.to_owned()))
    };
    assert_runs_once::<D>("COMMIT; BEGIN", |_| Err(gave_way("deadlock detected").into()))?;
    assert_runs_once::<D>("COMMIT; BEGIN", |_| Err(gave_way("Deadlock found when trying to get lock").into()))
}

fn what_has_committed_is_not_run_again_whatever_the_error_says<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let ended = STORE.transaction(&mut conn, |conn| -> Result<(), Busy> {
        insert_app_row(conn, "row")?;
        execute(conn, "COMMIT; BEGIN")?;
        Err(Busy::Busy)
    });
    let Err(Busy::Database(error)) = ended else { panic!("{ended:?}") };
    assert_ended(Err(error.into()), "COMMIT; BEGIN");
    assert_eq!(app_rows(&mut db.connect()?)?, ["row"]);
    Ok(())
}

/// In PostgreSQL, no question is answered then.
fn what_has_committed_is_not_run_again_after_a_statement_has_failed<D: TestDatabase>() -> Result {
    assert_runs_once::<D>("COMMIT; BEGIN", |conn| {
        let lost = lose_a_race(conn).expect_err("nobody has that version");
        execute(conn, "SELECT nonsense").expect_err("there is no such thing");
        Err(lost)
    })
}

/// On PostgreSQL, connections that block are outside of transactions then, as diesel knows.
fn what_is_refused_after_a_commit_is_not_run_again<D: TestDatabase>() -> Result {
    assert_runs_once::<D>("COMMIT", lose_a_race)
}

/// What it writes then is committed at once. On MySQL and MariaDB the server may have rolled back as well.
fn what_has_rolled_back_is_not_run_again<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    if is_mysql(&mut conn) {
        return Ok(());
    }
    let ended = STORE.transaction(&mut conn, |conn| {
        execute(conn, "ROLLBACK")?;
        insert_app_row(conn, "row")?;
        Err::<(), _>(Busy::Busy)
    });
    let Err(Busy::Database(error)) = ended else { panic!("{ended:?}") };
    assert_ended(Err(error.into()), "ROLLBACK");
    assert_eq!(app_rows(&mut db.connect()?)?, ["row"]);
    Ok(())
}

fn what_has_ended_is_not_reported_as_committed<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let alone = ["COMMIT", "ROLLBACK", "ROLLBACK; BEGIN"];
    for end in alone.iter().chain(and_begin(&mut conn)) {
        let outcome = write_transaction(&mut conn, |conn| -> Result<(), Error> {
            insert_app_row(conn, "before")?;
            execute(conn, end)?;
            Ok(insert_app_row(conn, "after")?)
        });
        assert_ended(outcome, end);
    }
    Ok(())
}

fn the_connection_can_be_used_again<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    for fails in [false, true] {
        for end in ["COMMIT", "ROLLBACK", "COMMIT; BEGIN", "ROLLBACK; BEGIN"] {
            let outcome = STORE.transaction(&mut conn, |conn| {
                execute(conn, end)?;
                if fails { lose_a_race(conn) } else { Ok(()) }
            });
            assert!(outcome.is_err(), "{end}");
            let mut calls = 0;
            STORE.transaction(&mut conn, |conn| -> Result<(), Error> {
                calls += 1;
                insert_app_row(conn, "row")?;
                if calls == 1 { lose_a_race(conn) } else { Ok(()) }
            })?;
            assert_eq!(calls, 2, "{end}");
        }
    }
    assert_eq!(app_rows(&mut db.connect()?)?.len(), 8);
    assert_eq!(count(&mut conn, "events")?, 0);
    Ok(())
}
