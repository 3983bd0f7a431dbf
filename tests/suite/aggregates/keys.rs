//! A command with an idempotency key is executed once, however often it is repeated.

use std::convert::Infallible;

use diesel_event_store::{
    AppendBatch, AppendError, Error, Event, EventStore, ExecuteError, ExpectedVersion, StreamId,
};
use test_support::{Result, TestDatabase, at_once, count, create_app_rows, insert_app_row};

use super::super::housekeeping::remove;
use super::{Account, AccountEvent, Deposit, NotEnough, Withdraw, account, fund};

tests! {
    a_repetition_gets_the_result_of_the_first,
    a_repetition_is_not_decided,
    what_the_client_has_seen_is_not_compared_with_a_repetition,
    a_rejected_command_has_used_no_key,
    a_command_without_events_has_used_no_key,
    another_aggregate_is_refused_by_what_is_there,
    a_key_of_other_events_is_refused,
    many_at_the_same_moment_execute_once,
    many_at_the_same_moment_execute_once_inside_transactions,
    many_at_the_same_moment_execute_once_in_whatever_way,
    the_same_request_that_was_faster_and_decided_differently_is_the_result,
    keys_of_two_tenants_are_apart,
    once_events_were_erased_the_key_says_so,
}

fn refused<E: std::fmt::Debug>(error: ExecuteError<E>) -> Option<String> {
    match error {
        ExecuteError::Append(AppendError::KeyReused { recorded, .. }) => {
            recorded.map(|event| event.stream().to_string())
        }
        other => panic!("{other:?}"),
    }
}

fn a_repetition_gets_the_result_of_the_first<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let (mut conn, mut other) = (db.connect()?, db.connect()?);
    fund(&mut conn, "a", 10)?;
    let withdraw = account("a").idempotency_key("k");
    let first = withdraw.clone().execute(&mut conn, &Withdraw(8))?;
    fund(&mut conn, "a", 5)?;
    let again = withdraw.execute(&mut other, &Withdraw(8))?;
    assert_eq!((first.is_repeat, again.is_repeat), (false, true));
    assert_eq!((&again.state, again.version, again.events()), (&first.state, 11, first.events()));
    assert_eq!((count(&mut conn, "events")?, count(&mut conn, "append_keys")?), (16, 1));
    Ok(())
}

fn a_repetition_is_not_decided<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    fund(&mut conn, "a", 10)?;
    account("a").idempotency_key("k").execute(&mut conn, &Withdraw(8))?;
    let again = account("a")
        .idempotency_key("k")
        .update(&mut conn, |_| -> Result<_, Infallible> { panic!("it was decided before") })?;
    assert_eq!((again.state.cents, again.attempts), (2, 1));
    Ok(())
}

fn what_the_client_has_seen_is_not_compared_with_a_repetition<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    fund(&mut conn, "a", 10)?;
    let seen = account("a").expecting(ExpectedVersion::Exact(10)).idempotency_key("k");
    seen.clone().execute(&mut conn, &Withdraw(8))?;
    assert_eq!(seen.execute(&mut conn, &Withdraw(8))?.version, 11);
    Ok(())
}

fn a_rejected_command_has_used_no_key<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let withdraw = account("a").idempotency_key("k");
    let rejected = withdraw.clone().execute(&mut conn, &Withdraw(8)).unwrap_err();
    assert_eq!(rejected.into_rejected()?, NotEnough(0));
    assert_eq!(count(&mut conn, "append_keys")?, 0);
    fund(&mut conn, "a", 10)?;
    assert!(!withdraw.execute(&mut conn, &Withdraw(8))?.is_repeat);
    Ok(())
}

fn a_command_without_events_has_used_no_key<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for _ in 0..2 {
        assert!(!account("a").idempotency_key("k").execute(&mut conn, &Deposit(0))?.is_repeat);
    }
    assert_eq!(count(&mut conn, "append_keys")?, 0);
    Ok(())
}

fn another_aggregate_is_refused_by_what_is_there<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    account("a").idempotency_key("k").execute(&mut conn, &Deposit(1))?;
    let reused = account("b").idempotency_key("k").execute(&mut conn, &Deposit(1)).unwrap_err();
    assert_eq!(refused(reused).as_deref(), Some("Account/a"));
    assert_eq!(count(&mut conn, "events")?, 1);
    Ok(())
}

/// Of a batch, which has more events than those of this stream.
fn a_key_of_other_events_is_refused<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let mut batch = AppendBatch::new().idempotency_key("k");
    for id in ["a", "b"] {
        let deposited = AccountEvent::Deposited { cents: 1 }.to_new()?;
        batch = batch.append(&StreamId::new("Account", id)?, ExpectedVersion::Any, [deposited]);
    }
    EventStore::new().append_batch(&mut conn, &batch)?;
    for id in ["a", "b"] {
        let reused = account(id).idempotency_key("k").execute(&mut conn, &Deposit(1)).unwrap_err();
        assert_eq!(refused(reused).as_deref(), Some("Account/a"));
    }
    assert_eq!(count(&mut conn, "events")?, 2);
    Ok(())
}

fn many_at_the_same_moment_execute_once<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conns = (0..12).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    fund(&mut conns[0], "a", 10)?;
    let outcomes =
        at_once(&mut conns, |_, conn| account("a").idempotency_key("k").execute(conn, &Withdraw(8)));
    let outcomes = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert_eq!(outcomes.iter().filter(|done| !done.is_repeat).count(), 1);
    assert!(outcomes.iter().all(|done| done.events() == outcomes[0].events() && done.state.cents == 2));
    assert_eq!(count(&mut conns[0], "events")?, 11);
    Ok(())
}

fn many_at_the_same_moment_execute_once_inside_transactions<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conns = (0..12).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    create_app_rows(&mut conns[0])?;
    fund(&mut conns[0], "a", 10)?;
    let outcomes = at_once(&mut conns, |_, conn| {
        EventStore::new().transaction(conn, |conn| -> Result<bool, Error> {
            let done = account("a").idempotency_key("k").execute(conn, &Withdraw(8))?;
            if !done.is_repeat {
                insert_app_row(conn, "withdrawn")?;
            }
            assert_eq!((done.state.cents, done.version), (2, 11));
            Ok(done.is_repeat)
        })
    });
    let repeats = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert_eq!(repeats.iter().filter(|is_repeat| !**is_repeat).count(), 1);
    assert_eq!((count(&mut conns[0], "app_rows")?, count(&mut conns[0], "events")?), (1, 11));
    Ok(())
}

/// Alone, inside a transaction, and as a batch.
fn many_at_the_same_moment_execute_once_in_whatever_way<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conns = (0..6).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    let stream = fund(&mut conns[0], "a", 10)?;
    let withdrawn = AccountEvent::Withdrawn { cents: 8 }.to_new()?;
    let outcomes = at_once(&mut conns, |nth, conn| -> Result<(bool, i64), Error> {
        let (store, withdraw) = (EventStore::new(), account("a").idempotency_key("k"));
        let done = match nth % 3 {
            0 => withdraw.execute(conn, &Withdraw(8))?,
            1 => store.transaction(conn, |conn| -> Result<_, Error> {
                Ok(withdraw.clone().execute(conn, &Withdraw(8))?)
            })?,
            _ => {
                let batch = AppendBatch::new().append(&stream, ExpectedVersion::Any, [withdrawn.clone()]);
                let done = store.append_batch(conn, &batch.idempotency_key("k"))?;
                return Ok((done.is_repeat(), done.streams()[0].version()));
            }
        };
        assert_eq!(done.state.cents, 2);
        Ok((done.is_repeat, done.version))
    });
    let outcomes = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert_eq!(outcomes.iter().filter(|(is_repeat, _)| !is_repeat).count(), 1);
    assert!(outcomes.iter().all(|(_, version)| *version == 11), "{outcomes:?}");
    assert_eq!((count(&mut conns[0], "events")?, count(&mut conns[0], "append_keys")?), (11, 1));
    Ok(())
}

/// An id or a time in the payload, say.
fn the_same_request_that_was_faster_and_decided_differently_is_the_result<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let (mut conn, mut other) = (db.connect()?, db.connect()?);
    let request = account("a").idempotency_key("k");
    let done = request.clone().update(&mut conn, |_| {
        request.clone().execute(&mut other, &Deposit(7)).expect("the other is faster");
        Ok::<_, Infallible>(vec![AccountEvent::Deposited { cents: 8 }])
    })?;
    assert_eq!((done.is_repeat, done.state.cents, done.version), (true, 7, 1));
    assert_eq!(count(&mut conn, "events")?, 1);
    Ok(())
}

fn keys_of_two_tenants_are_apart<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for tenant in ["acme", "Acme"] {
        let account = account("a").in_tenant(tenant).idempotency_key("k");
        assert!(!account.clone().execute(&mut conn, &Deposit(1))?.is_repeat);
        assert!(account.execute(&mut conn, &Deposit(1))?.is_repeat);
    }
    Ok(())
}

fn once_events_were_erased_the_key_says_so<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    account("a").idempotency_key("k").execute(&mut conn, &Deposit(1))?;
    remove(&mut conn, &format!("aggregate_type = '{}'", <Account as diesel_event_store::Aggregate>::TYPE))?;
    let gone = account("a").idempotency_key("k").execute(&mut conn, &Deposit(1)).unwrap_err();
    assert_eq!(refused(gone), None);
    assert_eq!(count(&mut conn, "events")?, 0);
    Ok(())
}
