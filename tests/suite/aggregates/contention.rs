//! Several callers on one aggregate. Alone, a command that is too late is decided again.

use std::convert::Infallible;

use diesel_event_store::EventConnection;
use test_support::{Result, TestDatabase, at_once};

use super::{Account, AccountEvent, Deposit, FOLDED, NotEnough, Withdraw, account, fund};

tests! {
    a_command_that_is_too_late_is_decided_again_on_the_newest_state,
    a_command_with_a_key_that_is_too_late_is_decided_again,
    only_what_is_new_is_read_again,
    a_decision_that_comes_to_nothing_the_second_time_is_a_success,
    a_command_is_rejected_by_what_another_has_done,
    attempts_have_a_limit,
    fifty_callers_on_one_aggregate_all_get_through,
}

const PENNY: AccountEvent = AccountEvent::Deposited { cents: 1 };

/// Decides for a deposit, after another connection has deposited the first few times.
fn overtaken<'c>(
    other: &'c mut impl EventConnection,
    times: u32,
    calls: &'c mut Vec<Account>,
) -> impl FnMut(&Account) -> Result<Vec<AccountEvent>, Infallible> + 'c {
    move |state| {
        calls.push(state.clone());
        if calls.len() <= times as usize {
            account("a").execute(other, &Deposit(100)).expect("the other is faster");
        }
        Ok(vec![PENNY])
    }
}

fn a_command_that_is_too_late_is_decided_again_on_the_newest_state<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let (mut conn, mut other, mut calls) = (db.connect()?, db.connect()?, Vec::new());
    let done = account("a").update(&mut conn, overtaken(&mut other, 2, &mut calls))?;
    assert_eq!((done.state.cents, done.version, done.attempts), (201, 3, 3));
    assert_eq!(calls.iter().map(|seen| seen.cents).collect::<Vec<_>>(), [0, 100, 200]);
    assert_eq!(account("a").load(&mut other)?.state, done.state);
    Ok(())
}

/// The other one has used no key.
fn a_command_with_a_key_that_is_too_late_is_decided_again<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let (mut conn, mut other, mut calls) = (db.connect()?, db.connect()?, Vec::new());
    let late = overtaken(&mut other, 1, &mut calls);
    let done = account("a").idempotency_key("k").update(&mut conn, late)?;
    assert_eq!((done.state.cents, done.version, done.attempts, done.is_repeat), (101, 2, 2, false));
    assert_eq!(calls.iter().map(|seen| seen.cents).collect::<Vec<_>>(), [0, 100]);
    assert_eq!(account("a").load(&mut other)?.state, done.state);
    Ok(())
}

fn only_what_is_new_is_read_again<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let (mut conn, mut other, mut folded) = (db.connect()?, db.connect()?, Vec::new());
    fund(&mut conn, "a", 10)?;
    FOLDED.set(0);
    let done = account("a").update(&mut conn, |_| {
        folded.push(FOLDED.get());
        if folded.len() == 1 {
            account("a").execute(&mut other, &Deposit(100)).expect("the other is faster");
        }
        FOLDED.set(0);
        Ok::<_, Infallible>(vec![PENNY])
    })?;
    assert_eq!(folded, [10, 1]);
    assert_eq!((done.state.cents, done.state.folded, done.attempts), (111, 12, 2));
    Ok(())
}

fn a_decision_that_comes_to_nothing_the_second_time_is_a_success<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let (mut conn, mut other) = (db.connect()?, db.connect()?);
    let once = |state: &Account| {
        if state.cents > 0 {
            return Ok::<_, Infallible>(vec![]);
        }
        account("a").execute(&mut other, &Deposit(100)).expect("the other is faster");
        Ok(vec![PENNY])
    };
    let done = account("a").update(&mut conn, once)?;
    assert_eq!((done.state.cents, done.version, done.attempts, done.events().len()), (100, 1, 2, 0));
    Ok(())
}

fn a_command_is_rejected_by_what_another_has_done<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let (mut conn, mut other) = (db.connect()?, db.connect()?);
    fund(&mut conn, "a", 10)?;
    let withdraw = |state: &Account| {
        if state.cents < 6 {
            return Err(NotEnough(state.cents));
        }
        account("a").execute(&mut other, &Withdraw(6)).expect("the other is faster");
        Ok(vec![AccountEvent::Withdrawn { cents: 6 }])
    };
    let rejected = account("a").update(&mut conn, withdraw).unwrap_err();
    assert_eq!(rejected.into_rejected()?, NotEnough(4));
    Ok(())
}

fn attempts_have_a_limit<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let (mut conn, mut other) = (db.connect()?, db.connect()?);
    for limit in [1, 3] {
        let mut calls = Vec::new();
        let before = account("a").load(&mut conn)?.version;
        let always = overtaken(&mut other, u32::MAX, &mut calls);
        let refused = account("a").attempts(limit).update(&mut conn, always).unwrap_err();
        assert_eq!(calls.len(), limit as usize);
        let actual = before + i64::from(limit);
        assert_eq!(refused.conflict().map(|conflict| conflict.actual), Some(actual), "{refused:?}");
    }
    Ok(())
}

fn fifty_callers_on_one_aggregate_all_get_through<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conns = (0..50).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    let outcomes = at_once(&mut conns, |_, conn| account("a").execute(conn, &Deposit(1)));
    let outcomes = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut versions: Vec<_> = outcomes.iter().map(|done| done.version).collect();
    versions.sort_unstable();
    assert_eq!(versions, Vec::from_iter(1..=50));
    for done in &outcomes {
        assert_eq!(done.state.cents, done.version, "decided on the state at that version");
    }
    assert_eq!(account("a").load(&mut conns[0])?.state.cents, 50);
    Ok(())
}
