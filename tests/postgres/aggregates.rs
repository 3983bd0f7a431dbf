//! Commands in transactions of each isolation level.

use diesel::connection::AnsiTransactionManager;
use diesel::prelude::*;
use diesel_event_store::{DatabaseErrorKind, ExecuteError, RunAgain};
use test_support::counter::{count_by, count_once, count_while, counter};
use test_support::witness::{commit, roll_back};
use test_support::{Postgres, Result, TestDatabase, count, eventually, execute};

fn begin_in(level: &str, conn: &mut PgConnection) -> Result {
    Ok(AnsiTransactionManager::begin_transaction_sql(conn, &format!("BEGIN ISOLATION LEVEL {level}"))?)
}

/// There is no head yet that could be locked.
#[test]
fn a_conflict_on_a_new_aggregate_is_returned_and_leaves_the_transaction_usable() -> Result {
    let db = Postgres::migrated()?;
    let (mut conn, mut other) = (db.connect()?, db.connect()?);
    begin_in("READ COMMITTED", &mut conn)?;
    count_once(&mut conn, "before")?;
    let (decided, refused) = count_while(&mut conn, "new", || {
        count_once(&mut other, "new").expect("nothing stands in its way");
    });
    assert_eq!((decided, refused.unwrap_err().conflict().map(|conflict| conflict.actual)), (1, Some(1)));
    assert_eq!(count_once(&mut conn, "new")?, 2);
    commit(&mut conn)?;
    assert_eq!(counter("before").load(&mut conn)?.version, 1);
    Ok(())
}

/// The head is not locked there: to wait for another append would only find that it was too late.
#[test]
fn above_read_committed_the_other_does_not_wait_and_the_transaction_gives_way() -> Result {
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        let db = Postgres::migrated()?;
        let (mut conn, mut other) = (db.connect()?, db.connect()?);
        count_once(&mut conn, "old")?;
        begin_in(level, &mut conn)?;
        let (decided, refused) = count_while(&mut conn, "old", || {
            count_once(&mut other, "old").expect("nothing stands in its way");
        });
        let refused = refused.unwrap_err();
        assert!(matches!(refused, ExecuteError::Append(_)) && refused.may_run_again(), "{level}: {refused}");
        assert_eq!(decided, 1);
        roll_back(&mut conn)?;
        assert_eq!(count_once(&mut conn, "old")?, 3);
    }
    Ok(())
}

/// The snapshot has neither the key nor the events.
#[test]
fn above_read_committed_a_repetition_of_something_newer_is_to_be_run_again() -> Result {
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        let db = Postgres::migrated()?;
        let (mut conn, mut other) = (db.connect()?, db.connect()?);
        begin_in(level, &mut conn)?;
        counter("old").load(&mut conn)?;
        let request = counter("old").idempotency_key("k");
        count_by(&request, &mut other)?;
        let refused = count_by(&request, &mut conn).unwrap_err();
        assert!(refused.may_run_again(), "{level}: {refused}");
        roll_back(&mut conn)?;
        assert!(count_by(&request, &mut conn)?.is_repeat);
    }
    Ok(())
}

define_sql_function!(fn pg_backend_pid() -> diesel::sql_types::Integer);

/// It may have been recorded before the connection was lost.
#[test]
fn a_command_is_never_decided_again_on_a_connection_that_is_lost() -> Result {
    let db = Postgres::migrated()?;
    let (mut conn, mut admin) = (db.connect()?, db.connect()?);
    let pid: i32 = diesel::select(pg_backend_pid()).get_result(&mut conn)?;
    let (decided, lost) = count_while(&mut conn, "c", || {
        execute(&mut admin, &format!("SELECT pg_terminate_backend({pid})")).expect("it is there");
        let is_gone = || Ok(count(&mut admin, &format!("pg_stat_activity WHERE pid = {pid}"))? == 0);
        eventually("it has ended", is_gone).expect("it ends");
    });
    let lost = lost.expect_err("its connection was lost");
    assert_eq!(DatabaseErrorKind::behind(&lost), Some(DatabaseErrorKind::ConnectionLost), "{lost}");
    assert_eq!((decided, lost.may_run_again()), (1, false));
    assert_eq!(counter("c").load(&mut admin)?.version, 0);
    Ok(())
}
