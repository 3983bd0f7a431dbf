//! `EventStore::transaction`: commands with rows of their own, as a whole again after a lost race.

use diesel::result::{DatabaseErrorKind as DieselKind, Error as DieselError};
use diesel_event_store::{
    AppendError, DEFAULT_ATTEMPTS, Error, EventConnection, EventStore, ExecuteError, ExpectedVersion,
    RunAgain,
};
use test_support::{
    Result, TestDatabase, app_rows, at_once, count, counted, create_app_rows, insert_app_row, user,
};

use super::{Deposit, NotEnough, Withdraw, account, fund};

tests! {
    rows_and_events_are_committed_together,
    after_a_conflict_the_whole_is_run_again,
    after_a_deadlock_the_whole_is_run_again,
    after_anything_else_it_is_not_run_again,
    after_a_lost_connection_it_is_not_run_again,
    inside_another_transaction_it_runs_once,
    it_is_not_run_again_for_ever,
    transfers_in_both_directions_all_get_through,
    the_errors_of_the_crate_say_what_may_run_again,
}

const STORE: EventStore = EventStore::new();

fn application<D: TestDatabase>() -> Result<(D, D::Conn)> {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    create_app_rows(&mut conn)?;
    Ok((db, conn))
}

fn lost_race(conn: &mut impl EventConnection) -> Result<(), Error> {
    STORE.append(conn, &user("alice")?, ExpectedVersion::Exact(99), &counted(1)?)?;
    Ok(())
}

fn deadlock() -> DieselError {
    DieselError::DatabaseError(DieselKind::SerializationFailure, Box::new("gave way".to_owned()))
}

fn lost_connection() -> DieselError {
    DieselError::DatabaseError(DieselKind::ClosedConnection, Box::new("gone".to_owned()))
}

/// A row and a command, and the first time what is given. How often it ran.
fn run<C: EventConnection>(
    conn: &mut C,
    first: impl Fn(&mut C) -> Result<(), Error>,
) -> (u32, Result<i64, Error>) {
    let mut calls = 0;
    let outcome = STORE.transaction(conn, |conn| {
        calls += 1;
        insert_app_row(conn, &format!("row {calls}"))?;
        let version = account("a").execute(conn, &Deposit(5))?.version;
        if calls == 1 {
            first(conn)?;
        }
        Ok(version)
    });
    (calls, outcome)
}

fn rows_and_events_are_committed_together<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let (calls, version) = run(&mut conn, |_| Ok(()));
    assert_eq!((calls, version?), (1, 1));
    let mut other = db.connect()?;
    assert_eq!((app_rows(&mut other)?, count(&mut other, "events")?), (vec!["row 1".to_owned()], 1));
    Ok(())
}

fn after_a_conflict_the_whole_is_run_again<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let (calls, version) = run(&mut conn, lost_race);
    assert_eq!((calls, version?), (2, 1));
    assert_eq!((app_rows(&mut conn)?, count(&mut conn, "events")?), (vec!["row 2".to_owned()], 1));
    Ok(())
}

fn after_a_deadlock_the_whole_is_run_again<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let (calls, version) = run(&mut conn, |_| Err(deadlock().into()));
    assert_eq!((calls, version?), (2, 1));
    assert_eq!((app_rows(&mut conn)?, count(&mut conn, "events")?), (vec!["row 2".to_owned()], 1));
    Ok(())
}

fn after_anything_else_it_is_not_run_again<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let (calls, refused) = run(&mut conn, |conn| {
        account("a").execute(conn, &Withdraw(6))?;
        Ok(())
    });
    assert!(matches!(refused, Err(Error::Rejected(_))), "{refused:?}");
    assert_eq!((calls, app_rows(&mut conn)?.len(), count(&mut conn, "events")?), (1, 0, 0));
    Ok(())
}

fn after_a_lost_connection_it_is_not_run_again<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let (calls, refused) = run(&mut conn, |_| Err(lost_connection().into()));
    assert!(refused.unwrap_err().is_retryable(), "on a new connection");
    assert_eq!((calls, count(&mut conn, "events")?), (1, 0));
    Ok(())
}

fn inside_another_transaction_it_runs_once<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    diesel::Connection::transaction(&mut conn, |conn| -> Result {
        insert_app_row(conn, "outer")?;
        let (calls, refused) = run(conn, lost_race);
        assert!(refused.unwrap_err().conflict().is_some());
        assert_eq!(calls, 1);
        Ok(())
    })?;
    assert_eq!((app_rows(&mut conn)?, count(&mut conn, "events")?), (vec!["outer".to_owned()], 0));
    Ok(())
}

fn it_is_not_run_again_for_ever<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let mut calls = 0;
    let refused = STORE.transaction(&mut conn, |conn| {
        calls += 1;
        lost_race(conn)
    });
    assert!(refused.unwrap_err().conflict().is_some());
    assert_eq!(calls, DEFAULT_ATTEMPTS);
    Ok(())
}

/// Each locks two accounts, half of them in the other order.
fn transfers_in_both_directions_all_get_through<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    fund(&mut conn, "a", 100)?;
    fund(&mut conn, "b", 100)?;
    let mut conns = (0..6).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    let outcomes = at_once(&mut conns, |nth, conn| -> Result<(), Error> {
        let (from, to) = if nth % 2 == 0 { ("a", "b") } else { ("b", "a") };
        for round in 0..5 {
            STORE.transaction(conn, |conn| -> Result<(), Error> {
                account(from).execute(conn, &Withdraw(3))?;
                account(to).execute(conn, &Deposit(3))?;
                insert_app_row(conn, &format!("{nth}/{round}"))?;
                Ok(())
            })?;
        }
        Ok(())
    });
    outcomes.into_iter().collect::<Result<(), _>>()?;
    let (a, b) = (account("a").load(&mut conn)?.state, account("b").load(&mut conn)?.state);
    assert_eq!((a.cents, b.cents, a.folded, b.folded), (100, 100, 130, 130));
    assert_eq!(app_rows(&mut conn)?.len(), 30);
    Ok(())
}

/// 1020, with which MariaDB has rolled the transaction back, is a deadlock by class.
fn the_errors_of_the_crate_say_what_may_run_again<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let conflict = || lost_race(&mut D::migrated()?.connect()?).map_err(Into::into);
    let conflict: Result = conflict();
    assert!(conflict.unwrap_err().downcast::<Error>()?.may_run_again());

    let executed = |error: DieselError| ExecuteError::<NotEnough>::from(error);
    assert!(executed(deadlock()).may_run_again() && deadlock().may_run_again());
    assert!(AppendError::from(deadlock()).may_run_again() && Error::from(deadlock()).may_run_again());
    assert!(!executed(lost_connection()).may_run_again() && !lost_connection().may_run_again());
    assert!(!Error::from(lost_connection()).may_run_again());
    assert!(!account("a").execute(&mut conn, &Withdraw(6)).unwrap_err().may_run_again());
    Ok(())
}
