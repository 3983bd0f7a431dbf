//! The handler's rows and the checkpoint share one fate.

use std::sync::Arc;
use std::time::Duration;

use diesel::Connection;
use diesel::connection::TransactionManager;
use diesel::result::Error::RollbackTransaction;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_event_store::projection::{HandlerError, Projection, ProjectionError, ProjectionId};
use diesel_event_store::{
    AppendError, ConnectionRef, EventConnection, EventStore, ExpectedVersion, Position,
};
use test_support::{Result, TestDatabase, count, counted, execute, user};

use super::{Fault, NAME, Script, append, application, applied, insert, reached, users};

tests! {
    rows_and_checkpoint_are_committed_together,
    a_failing_handler_leaves_neither_row_nor_checkpoint,
    in_the_applications_transaction_it_is_part_of_it,
    a_failure_leaves_the_applications_transaction_usable,
    a_handler_may_open_transactions_of_its_own,
    a_handler_that_commits_is_found_out,
    a_handler_that_rolls_back_is_found_out,
    a_handler_that_leaves_a_transaction_open_is_found_out,
    a_handler_that_ends_the_transaction_and_fails_is_found_out,
    a_handler_that_ends_the_transaction_and_wants_another_try_is_found_out,
    a_handler_that_ends_the_transaction_and_meets_an_error_is_found_out,
    a_handler_that_ends_the_transaction_around_a_nested_one_is_found_out,
    a_handler_that_rolls_back_by_sql_and_fails_moves_nothing,
}

fn rows_and_checkpoint_are_committed_together<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let last = append(&mut conn, "alice", 3)?.last_position();
    users().catch_up(&mut conn)?;
    let mut other = db.connect()?;
    assert_eq!(applied(&mut other)?.len(), 3);
    assert!(reached(&mut other)? >= last);
    Ok(())
}

fn a_failing_handler_leaves_neither_row_nor_checkpoint<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let failing = Script::with([("alice 1", Fault::Fails)]).projection().retries(0, Duration::ZERO);
    assert!(failing.catch_up(&mut conn).is_err());
    let mut other = db.connect()?;
    assert!(applied(&mut other)?.is_empty());
    assert_eq!(reached(&mut other)?, Position::START);
    Ok(())
}

fn in_the_applications_transaction_it_is_part_of_it<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 3)?;
    let last = EventStore::new().publish_position(&mut conn)?;
    let rolled_back: Result = conn.transaction(|conn| {
        assert_eq!(users().batch_size(2).catch_up(conn)?.applied(), 3);
        assert_eq!(applied(conn)?.len(), 3);
        Err(RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    let mut other = db.connect()?;
    assert!(applied(&mut other)?.is_empty());

    conn.transaction(|conn| users().batch_size(2).catch_up(conn))?;
    assert_eq!(applied(&mut other)?, ["alice 1", "alice 2", "alice 3"]);
    assert!(reached(&mut other)? >= last);
    Ok(())
}

fn a_failure_leaves_the_applications_transaction_usable<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 3)?;
    EventStore::new().publish_position(&mut conn)?;
    let failing = Script::with([("alice 2", Fault::Fails)]).projection().retries(0, Duration::ZERO);
    conn.transaction(|conn| -> Result {
        let failed = failing.catch_up(conn);
        assert!(matches!(failed, Err(ProjectionError::Failed { .. })), "{failed:?}");
        execute(conn, "INSERT INTO applied (name) VALUES ('by the application')")?;
        Ok(())
    })?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "by the application"]);
    assert_eq!(users().catch_up(&mut conn)?.applied(), 2);
    Ok(())
}

fn a_handler_may_open_transactions_of_its_own<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let nested = Projection::new(NAME, 1, |conn: &mut D::Conn, event| {
        conn.transaction(|conn| insert(conn, event).map_err(HandlerError::into_error))
            .map_err(HandlerError::failed)?;
        let undone: Result<(), diesel::result::Error> = conn.transaction(|conn| {
            execute(conn, "INSERT INTO applied (name) VALUES ('undone')")?;
            Err(RollbackTransaction)
        });
        assert!(undone.is_err());
        Ok(())
    });
    assert_eq!(nested.catch_up(&mut conn)?.applied(), 2);
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2"]);
    Ok(())
}

/// What a handler does with the transaction that it is lent.
trait End<C>: Fn(&mut C) -> Result<(), HandlerError> + Send + Sync + 'static {}

impl<C, F: Fn(&mut C) -> Result<(), HandlerError> + Send + Sync + 'static> End<C> for F {}

type Connections<D> = (Arc<D>, <D as TestDatabase>::Conn, <D as TestDatabase>::Conn);

type Manager<C> = <C as Connection>::TransactionManager;

fn commit_all<C: Connection>(conn: &mut C) -> Result<(), HandlerError> {
    Manager::<C>::commit_transaction(conn)?;
    Ok(Manager::<C>::commit_transaction(conn)?)
}

fn roll_back_all<C: Connection>(conn: &mut C) -> Result<(), HandlerError> {
    Manager::<C>::rollback_transaction(conn)?;
    Ok(Manager::<C>::rollback_transaction(conn)?)
}

/// A handler that has written its row and then does this is found out, and the checkpoint stays where it was.
fn is_found_out<D: TestDatabase>(what: &str, end: impl End<D::Conn>, rows: &[&str]) -> Result {
    let (_db, mut conn, mut other) = found_out::<D>(what, end)?;
    assert_eq!(applied(&mut other)?, rows, "{what}");
    is_outside_transactions(&mut conn, &mut other)
}

/// With the connection that the handler has had, and another.
fn found_out<D: TestDatabase>(what: &str, end: impl End<D::Conn>) -> Result<Connections<D>> {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let ending = Projection::new(NAME, 1, move |conn: &mut D::Conn, event| {
        insert(conn, event)?;
        end(conn)
    });
    let refused = ending.catch_up(&mut conn);
    let Err(ProjectionError::TransactionEnded { projection, .. }) = &refused else {
        panic!("{what}: {refused:?}")
    };
    assert_eq!(projection, &ProjectionId::new(NAME, 1));
    let mut other = db.connect()?;
    assert_eq!(reached(&mut other)?, Position::START, "{what}");
    Ok((db, conn, other))
}

/// What is written on the connection is committed at once, and what is written in a transaction is not.
fn is_outside_transactions<C: Connection + EventConnection>(conn: &mut C, other: &mut C) -> Result {
    append(conn, "bob", 1)?;
    execute(conn, "INSERT INTO applied (name) VALUES ('committed')")?;
    let rolled_back: Result = conn.transaction(|conn| {
        append(conn, "bob", 1)?;
        execute(conn, "INSERT INTO applied (name) VALUES ('rolled back')")?;
        Err(RollbackTransaction.into())
    });
    assert_eq!(rolled_back.unwrap_err().to_string(), RollbackTransaction.to_string());
    assert_eq!(applied(other)?.last().map(String::as_str), Some("committed"));
    assert_eq!(count(other, "events WHERE aggregate_id = 'bob'")?, 1);
    Ok(())
}

fn a_handler_that_commits_is_found_out<D: TestDatabase>() -> Result {
    is_found_out::<D>("by diesel", commit_all, &["alice 1"])?;
    let once = |conn: &mut D::Conn| Ok(Manager::<D::Conn>::commit_transaction(conn)?);
    is_found_out::<D>("once", once, rows_of_a_handler_that_commits_once::<D>()?)?;
    is_found_out::<D>("by SQL", |conn| Ok(execute(conn, "COMMIT")?), &["alice 1"])?;
    let again = |conn: &mut D::Conn| {
        execute(conn, "COMMIT")?;
        Ok(execute(conn, "BEGIN")?)
    };
    // What it has begun is its own affair: diesel does not know of it.
    let (_db, _conn, mut other) = found_out::<D>("and begins again", again)?;
    assert_eq!(applied(&mut other)?, ["alice 1"]);
    Ok(())
}

/// On the servers a handler runs in a savepoint, and only that is ended.
fn rows_of_a_handler_that_commits_once<D: TestDatabase>() -> Result<&'static [&'static str]> {
    Ok(match D::create()?.connect()?.lend() {
        #[cfg(feature = "postgres")]
        ConnectionRef::Postgres(_) => &[],
        #[cfg(feature = "mysql")]
        ConnectionRef::Mysql(_) => &[],
        #[cfg(feature = "sqlite")]
        ConnectionRef::Sqlite(_) => &["alice 1"],
        _ => unreachable!("the suite does not know this database"),
    })
}

fn a_handler_that_rolls_back_is_found_out<D: TestDatabase>() -> Result {
    is_found_out::<D>("by diesel", roll_back_all, &[])?;
    is_found_out::<D>("once", |conn| Ok(Manager::<D::Conn>::rollback_transaction(conn)?), &[])?;
    is_found_out::<D>("by SQL", |conn| Ok(execute(conn, "ROLLBACK")?), &[])?;
    let again = |conn: &mut D::Conn| {
        execute(conn, "ROLLBACK")?;
        Ok(execute(conn, "BEGIN")?)
    };
    let (_db, _conn, mut other) = found_out::<D>("and begins again", again)?;
    assert!(applied(&mut other)?.is_empty());
    Ok(())
}

fn a_handler_that_leaves_a_transaction_open_is_found_out<D: TestDatabase>() -> Result {
    is_found_out::<D>("open", |conn| Ok(Manager::<D::Conn>::begin_transaction(conn)?), &[])
}

/// It is not given the event again: what it has committed would be there twice.
fn a_handler_that_ends_the_transaction_and_fails_is_found_out<D: TestDatabase>() -> Result {
    let commit = |conn: &mut D::Conn| {
        commit_all(conn)?;
        Err(HandlerError::failed("after the commit"))
    };
    is_found_out::<D>("committed", commit, &["alice 1"])?;
    let commit_by_sql = |conn: &mut D::Conn| {
        execute(conn, "COMMIT")?;
        Err(HandlerError::failed("after the commit"))
    };
    is_found_out::<D>("committed by SQL", commit_by_sql, &["alice 1"])?;
    let and_begin = |conn: &mut D::Conn| {
        execute(conn, "COMMIT")?;
        execute(conn, "BEGIN")?;
        Err(HandlerError::park("after the commit"))
    };
    let (_db, _conn, mut other) = found_out::<D>("and begun again", and_begin)?;
    assert_eq!(applied(&mut other)?, ["alice 1"]);
    let roll_back = |conn: &mut D::Conn| {
        roll_back_all(conn)?;
        panic!("after the rollback")
    };
    is_found_out::<D>("rolled back", roll_back, &[])
}

/// That does not say what has become of the transaction, and neither does an error of another database.
fn a_handler_that_ends_the_transaction_and_wants_another_try_is_found_out<D: TestDatabase>() -> Result {
    let errors: [fn(&mut D::Conn) -> HandlerError; 3] = [
        |_| HandlerError::retry("busy"),
        |conn| lost_race(conn).into(),
        |conn| of_another_database(conn).into(),
    ];
    for fail in errors {
        let commit = move |conn: &mut D::Conn| {
            let error = fail(conn);
            execute(conn, "COMMIT")?;
            Err(error)
        };
        is_found_out::<D>("committed", commit, &["alice 1"])?;
        let and_begin = move |conn: &mut D::Conn| {
            let error = fail(conn);
            execute(conn, "COMMIT; BEGIN")?;
            Err(error)
        };
        let (_db, _conn, mut other) = found_out::<D>("and begun again", and_begin)?;
        assert_eq!(applied(&mut other)?, ["alice 1"]);
    }
    Ok(())
}

fn lost_race(conn: &mut impl EventConnection) -> AppendError {
    let (alice, one) = (user("alice").expect("a name"), counted(1).expect("it is JSON"));
    EventStore::new().append(conn, &alice, ExpectedVersion::Exact(99), &one).unwrap_err()
}

fn of_another_database(conn: &mut impl EventConnection) -> DieselError {
    let message = match conn.lend() {
        #[cfg(feature = "mysql")]
        ConnectionRef::Mysql(_) => "could not serialize access due to concurrent update",
        _ => "Deadlock found when trying to get lock; try restarting transaction",
    };
    DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, Box::new(message.to_owned()))
}

/// After it, diesel does not report a savepoint that is gone.
fn a_handler_that_ends_the_transaction_and_meets_an_error_is_found_out<D: TestDatabase>() -> Result {
    let fail = |conn: &mut D::Conn| {
        execute(conn, "COMMIT; BEGIN")?;
        Ok(execute(conn, "SELECT nonsense")?)
    };
    let (_db, _conn, mut other) = found_out::<D>("by SQL", fail)?;
    assert_eq!(applied(&mut other)?, ["alice 1"]);
    Ok(())
}

fn a_handler_that_ends_the_transaction_around_a_nested_one_is_found_out<D: TestDatabase>() -> Result {
    let nested = |conn: &mut D::Conn| {
        let undone: Result = conn.transaction(|conn| {
            execute(conn, "COMMIT; BEGIN")?;
            Err("after the commit".into())
        });
        assert!(undone.is_err());
        Err(HandlerError::retry("busy"))
    };
    let (_db, _conn, mut other) = found_out::<D>("by SQL", nested)?;
    assert_eq!(applied(&mut other)?, ["alice 1"]);
    Ok(())
}

fn a_handler_that_rolls_back_by_sql_and_fails_moves_nothing<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let failing = Projection::new(NAME, 1, |conn: &mut D::Conn, event| {
        insert(conn, event)?;
        execute(conn, "ROLLBACK")?;
        Err(HandlerError::failed("after the rollback"))
    });
    assert!(failing.retries(2, Duration::ZERO).catch_up(&mut conn).is_err());
    let mut other = db.connect()?;
    assert!(applied(&mut other)?.is_empty());
    assert_eq!(reached(&mut other)?, Position::START);
    is_outside_transactions(&mut conn, &mut other)
}
