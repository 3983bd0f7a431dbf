//! Commands in a transaction of the application: they share its fate, and others wait for it.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use diesel::result::Error::RollbackTransaction;
use diesel_event_store::{Error, EventConnection, EventStore, ExpectedVersion, write_transaction};
use test_support::{
    Result, TestDatabase, app_rows, at_once, count, counted, create_app_rows, insert_app_row, user,
};

use super::{AccountEvent, Deposit, Withdraw, account, fund};

tests! {
    events_and_rows_are_committed_together,
    events_are_rolled_back_with_the_transaction,
    a_transaction_decides_on_what_it_has_appended,
    a_rejection_leaves_the_transaction_usable,
    an_expected_version_is_compared_once,
    others_wait_for_the_transaction_and_do_not_make_it_fail,
    transactions_on_one_aggregate_all_get_through,
    a_panic_leaves_the_transaction_as_it_was,
    a_panic_leaves_no_transaction_open,
}

fn application<D: TestDatabase>() -> Result<(D, D::Conn)> {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    create_app_rows(&mut conn)?;
    Ok((db, conn))
}

fn events_and_rows_are_committed_together<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    write_transaction(&mut conn, |conn| -> Result<(), Error> {
        insert_app_row(conn, "row")?;
        let done = account("a").execute(conn, &Deposit(5))?;
        assert_eq!((done.version, done.attempts), (1, 1));
        Ok(())
    })?;
    let mut other = db.connect()?;
    assert_eq!((app_rows(&mut other)?, account("a").load(&mut other)?.version), (vec!["row".to_owned()], 1));
    Ok(())
}

fn events_are_rolled_back_with_the_transaction<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let rolled_back: Result<(), Error> = diesel::Connection::transaction(&mut conn, |conn| {
        account("a").execute(conn, &Deposit(5))?;
        Err(RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    assert_eq!(account("a").load(&mut conn)?.version, 0);
    Ok(())
}

fn a_transaction_decides_on_what_it_has_appended<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    fund(&mut conn, "a", 2)?;
    let left = diesel::Connection::transaction(&mut conn, |conn| -> Result<i64, Error> {
        account("a").execute(conn, &Deposit(5))?;
        account("a").execute(conn, &Withdraw(6))?;
        account("b").execute(conn, &Deposit(6))?;
        Ok(account("a").load(conn)?.state.cents)
    })?;
    assert_eq!((left, account("b").load(&mut conn)?.state.cents), (1, 6));
    Ok(())
}

fn a_rejection_leaves_the_transaction_usable<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    diesel::Connection::transaction(&mut conn, |conn| -> Result<(), Error> {
        insert_app_row(conn, "row")?;
        assert!(account("a").execute(conn, &Withdraw(6)).is_err());
        account("a").execute(conn, &Deposit(5))?;
        Ok(())
    })?;
    assert_eq!((app_rows(&mut conn)?.len(), count(&mut conn, "events")?), (1, 1));
    Ok(())
}

fn an_expected_version_is_compared_once<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    fund(&mut conn, "a", 2)?;
    diesel::Connection::transaction(&mut conn, |conn| -> Result<(), Error> {
        let late = account("a").expecting(ExpectedVersion::Exact(1)).execute(conn, &Deposit(5)).unwrap_err();
        assert_eq!(late.conflict().map(|conflict| conflict.actual), Some(2));
        account("a").expecting(ExpectedVersion::Exact(2)).execute(conn, &Deposit(5))?;
        Ok(())
    })?;
    assert_eq!(account("a").load(&mut conn)?.version, 3);
    Ok(())
}

/// Another append is under way while the transaction decides. It either waits, or would make it fail.
fn others_wait_for_the_transaction_and_do_not_make_it_fail<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let mut other = db.connect()?;
    let stream = fund(&mut conn, "a", 2)?;
    let events = counted(1)?;
    thread::scope(|scope| {
        let (done, is_done) = mpsc::channel();
        let appends = move || {
            let appended = EventStore::new().append(&mut other, &stream, ExpectedVersion::Any, &events);
            let _ = done.send(());
            appended.map(|appended| appended.version())
        };
        let mut appends = Some(appends);
        let waiting = write_transaction(&mut conn, |conn| -> Result<_, Error> {
            let mut waiting = None;
            let executed = account("a").update(conn, |_| {
                waiting = appends.take().map(|appends| scope.spawn(appends));
                let _ = is_done.recv_timeout(Duration::from_millis(200));
                Ok::<_, Infallible>(vec![AccountEvent::Deposited { cents: 1 }])
            })?;
            assert_eq!((executed.version, executed.attempts), (3, 1));
            Ok(waiting)
        })?;
        let version = waiting.expect("it was decided").join().expect("no panic")?;
        assert_eq!(version, 4);
        Ok(())
    })
}

fn transactions_on_one_aggregate_all_get_through<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    fund(&mut conn, "a", 1)?;
    let mut conns = (0..8).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    let outcomes = at_once(&mut conns, |_, conn| -> Result<(), Error> {
        for _ in 0..5 {
            write_transaction(conn, |conn| account("a").execute(conn, &Deposit(1)))?;
        }
        Ok(())
    });
    outcomes.into_iter().collect::<Result<(), _>>()?;
    assert_eq!(account("a").load(&mut conn)?.state.cents, 41);
    Ok(())
}

fn panicking(conn: &mut impl EventConnection) {
    let _ = account("a").update(conn, |_| -> Result<_, Infallible> { panic!("on purpose") });
}

fn a_panic_leaves_the_transaction_as_it_was<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    fund(&mut conn, "a", 1)?;
    write_transaction(&mut conn, |conn| -> Result<(), Error> {
        insert_app_row(conn, "row")?;
        assert!(catch_unwind(AssertUnwindSafe(|| panicking(conn))).is_err());
        account("a").execute(conn, &Deposit(1))?;
        Ok(())
    })?;
    assert_eq!((app_rows(&mut conn)?.len(), account("a").load(&mut conn)?.version), (1, 2));
    Ok(())
}

fn a_panic_leaves_no_transaction_open<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    fund(&mut conn, "a", 1)?;
    assert!(catch_unwind(AssertUnwindSafe(|| panicking(&mut conn))).is_err());
    let stream = user("bob")?;
    EventStore::new().append(&mut db.connect()?, &stream, ExpectedVersion::NoStream, &counted(1)?)?;
    assert_eq!(account("a").execute(&mut conn, &Deposit(1))?.version, 2);
    assert_eq!(account("a").load(&mut db.connect()?)?.version, 2);
    Ok(())
}
