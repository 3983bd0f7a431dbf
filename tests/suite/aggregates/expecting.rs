//! A client that says what it has seen: its command is executed on that or not at all.

use std::convert::Infallible;

use diesel_event_store::{ExecuteError, ExpectedVersion};
use test_support::{Result, TestDatabase, count};

use super::{Account, AccountEvent, Deposit, account, fund};

tests! {
    what_the_client_has_seen_is_what_is_decided_on,
    another_version_is_a_conflict_before_anything_is_decided,
    it_is_never_decided_again,
}

fn what_the_client_has_seen_is_what_is_decided_on<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    account("a").expecting(ExpectedVersion::NoStream).execute(&mut conn, &Deposit(1))?;
    let seen = account("a").load(&mut conn)?.version;
    let done = account("a").expecting(ExpectedVersion::Exact(seen)).execute(&mut conn, &Deposit(1))?;
    assert_eq!((done.version, done.state.cents), (2, 2));
    assert_eq!(
        account("a").expecting(ExpectedVersion::StreamExists).execute(&mut conn, &Deposit(1))?.version,
        3
    );
    Ok(())
}

fn another_version_is_a_conflict_before_anything_is_decided<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    fund(&mut conn, "a", 3)?;
    for expected in [ExpectedVersion::NoStream, ExpectedVersion::Exact(2), ExpectedVersion::Exact(4)] {
        let mut is_decided = false;
        let refused = account("a").expecting(expected).update(&mut conn, |_| {
            is_decided = true;
            Ok::<_, Infallible>(vec![])
        });
        let refused = refused.unwrap_err();
        let conflict = refused.conflict().expect("a conflict");
        assert_eq!((conflict.expected, conflict.actual, is_decided), (expected, 3, false));
    }
    assert_eq!(count(&mut conn, "events")?, 3);
    Ok(())
}

fn it_is_never_decided_again<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let (mut conn, mut other) = (db.connect()?, db.connect()?);
    for expected in [ExpectedVersion::Exact(0), ExpectedVersion::Any] {
        let mut calls = 0;
        let before = account("a").load(&mut conn)?.version;
        let refused = account("a").expecting(expected).update(&mut conn, |_: &Account| {
            calls += 1;
            account("a").execute(&mut other, &Deposit(100)).expect("the other is faster");
            Ok::<_, Infallible>(vec![AccountEvent::Deposited { cents: 1 }])
        });
        assert!(matches!(&refused, Err(ExecuteError::Append(_))), "{refused:?}");
        let actual = refused.unwrap_err().conflict().map(|conflict| conflict.actual);
        assert_eq!((calls, actual), (1, Some(before + 1)));
    }
    Ok(())
}
