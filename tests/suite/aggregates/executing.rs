//! One caller: what is loaded, what is recorded, what is returned.

use std::convert::Infallible;

use diesel::connection::{Connection, InstrumentationEvent};
use diesel_event_store::{
    AggregateRef, Error, Event, EventProblem, EventStore, ExecuteError, ExpectedVersion, LoadError, NewEvent,
    Position, write_transaction,
};
use test_support::{Result, TestDatabase, count, execute, user};

use super::super::housekeeping::remove;
use super::bad_input::{Careless, Nobody};
use super::{Account, AccountEvent, Deposit, NotEnough, Withdraw, account, fund};

tests! {
    without_events_the_state_is_the_initial_one,
    the_state_is_folded_from_all_events,
    a_stream_of_many_pages_is_folded_once,
    a_retired_event_counts_in_the_version_only,
    a_split_event_is_folded_in_parts_and_counts_once,
    a_command_records_what_it_decides,
    a_rejected_command_records_nothing,
    nothing_decided_is_a_success,
    several_events_are_recorded_together,
    all_events_carry_what_the_command_carries,
    what_an_event_says_itself_is_kept_unless_the_command_says_it,
    aggregates_of_two_tenants_are_apart,
    an_aggregate_whose_events_were_erased_begins_anew_at_its_version,
    what_is_appended_while_an_empty_stream_is_looked_at_is_folded,
    an_event_that_was_erased_counts_in_the_version,
    what_comes_after_events_that_were_erased_is_folded,
    what_is_caused_by_an_event_carries_its_ids,
    what_is_caused_by_an_event_belongs_to_its_tenant,
    an_event_that_cannot_be_read_is_named,
    an_upcast_that_fails_among_other_events_is_named,
    every_failure_becomes_an_error_of_the_crate,
}

fn migrated<D: TestDatabase>() -> Result<(D, D::Conn)> {
    let db = D::migrated()?;
    let conn = db.connect()?;
    Ok((db, conn))
}

fn without_events_the_state_is_the_initial_one<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    let loaded = account("a").load(&mut conn)?;
    assert_eq!(loaded.state, Account { id: "a".to_owned(), cents: 0, folded: 0 });
    assert_eq!(loaded.version, 0);
    Ok(())
}

fn the_state_is_folded_from_all_events<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    fund(&mut conn, "b", 4)?;
    account("a").execute(&mut conn, &Deposit(500))?;
    account("a").execute(&mut conn, &Withdraw(200))?;
    let loaded = account("a").load(&mut conn)?;
    assert_eq!((loaded.state.cents, loaded.state.folded, loaded.version), (300, 2, 2));
    Ok(())
}

/// No events are found, then another connection appends some, then it is asked where the stream ends.
fn what_is_appended_while_an_empty_stream_is_looked_at_is_folded<D: TestDatabase>() -> Result {
    let (db, mut conn) = migrated::<D>()?;
    let mut other = Some(db.connect()?);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        let InstrumentationEvent::StartQuery { query, .. } = event else { return };
        if query.to_string().contains("aggregate_heads")
            && let Some(mut other) = other.take()
        {
            fund(&mut other, "a", 3).expect("the other is faster");
        }
    });
    let loaded = account("a").load(&mut conn)?;
    assert_eq!((loaded.state.folded, loaded.version), (3, 3));
    Ok(())
}

fn an_event_that_was_erased_counts_in_the_version<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    fund(&mut conn, "a", 4)?;
    remove(&mut conn, "aggregate_version = 2")?;
    let loaded = account("a").load(&mut conn)?;
    assert_eq!((loaded.state.folded, loaded.version), (3, 4));
    assert_eq!(account("a").execute(&mut conn, &Deposit(500))?.version, 5);
    Ok(())
}

/// However many they were.
fn what_comes_after_events_that_were_erased_is_folded<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    let (first, middle) = ("<= 1500", "BETWEEN 11 AND 1500");
    for (id, erased, left) in [("a", middle, 110), ("b", first, 100), ("c", middle, 110), ("d", first, 100)] {
        fund(&mut conn, id, 1_600)?;
        remove(&mut conn, &format!("aggregate_id = '{id}' AND aggregate_version {erased}"))?;
        let loaded = account(id).load(&mut conn)?;
        assert_eq!((loaded.state.folded, loaded.version), (left, 1_600));
        let decided_on = |conn: &mut D::Conn| {
            let mut folded = 0;
            let deposit = |state: &Account| {
                folded = state.folded;
                Ok::<_, Infallible>(vec![AccountEvent::Deposited { cents: 1 }])
            };
            let done = account(id).update(conn, deposit)?;
            Ok::<_, ExecuteError<Infallible>>((folded, done.version))
        };
        let done = match id {
            "a" | "b" => decided_on(&mut conn)?,
            _ => write_transaction(&mut conn, decided_on)?,
        };
        assert_eq!(done, (left, 1_601));
    }
    Ok(())
}

fn a_stream_of_many_pages_is_folded_once<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    for length in [1_000, 2_001, 2_500] {
        let id = length.to_string();
        fund(&mut conn, &id, length)?;
        let loaded = account(&id).load(&mut conn)?;
        assert_eq!((loaded.state.folded as usize, loaded.version as usize), (length, length));
    }
    Ok(())
}

fn a_retired_event_counts_in_the_version_only<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    let stream = fund(&mut conn, "a", 2)?;
    let retired = NewEvent::new("AccountLookedAt", &())?;
    EventStore::new().append(&mut conn, &stream, ExpectedVersion::Any, &[retired])?;
    let loaded = account("a").load(&mut conn)?;
    assert_eq!((loaded.state.folded, loaded.version), (2, 3));
    assert_eq!(account("a").execute(&mut conn, &Deposit(1))?.version, 4);
    Ok(())
}

fn a_split_event_is_folded_in_parts_and_counts_once<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    let stream = fund(&mut conn, "a", 1)?;
    let twice = NewEvent::new("MoneyDepositedTwice", &10)?;
    EventStore::new().append(&mut conn, &stream, ExpectedVersion::Any, &[twice])?;
    let loaded = account("a").load(&mut conn)?;
    assert_eq!((loaded.state.cents, loaded.state.folded, loaded.version), (21, 3, 2));
    assert_eq!(account("a").execute(&mut conn, &Withdraw(21))?.version, 3);
    Ok(())
}

fn a_command_records_what_it_decides<D: TestDatabase>() -> Result {
    let (db, mut conn) = migrated::<D>()?;
    fund(&mut conn, "a", 3)?;
    let done = account("a").execute(&mut conn, &Withdraw(2))?;
    assert_eq!((done.state.cents, done.version, done.attempts), (1, 4, 1));

    let mut other = db.connect()?;
    let stream = diesel_event_store::StreamId::new("Account", "a")?;
    let recorded = EventStore::new().read_stream(&mut other, &stream, 4..)?;
    assert_eq!(done.events(), recorded.events());
    assert_eq!(recorded.events()[0].payload_json(), r#"{"cents":2}"#);
    assert_eq!(account("a").load(&mut other)?.state, done.state);
    Ok(())
}

fn a_rejected_command_records_nothing<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    fund(&mut conn, "a", 3)?;
    let rejected = account("a").execute(&mut conn, &Withdraw(4)).unwrap_err();
    assert!(matches!(rejected, ExecuteError::Rejected(NotEnough(3))), "{rejected:?}");
    assert_eq!(rejected.to_string(), "there are only 3 cents");
    assert_eq!(count(&mut conn, "events")?, 3);
    Ok(())
}

fn nothing_decided_is_a_success<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    let done = account("a").execute(&mut conn, &Deposit(0))?;
    assert_eq!((done.version, done.events().len(), done.attempts), (0, 0, 1));
    fund(&mut conn, "a", 3)?;
    let done = account("a").execute(&mut conn, &Deposit(0))?;
    assert_eq!((done.state.cents, done.version, done.into_events().len()), (3, 3, 0));
    assert_eq!(count(&mut conn, "events")?, 3);
    Ok(())
}

fn several_events_are_recorded_together<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    let there_and_back = |_: &Account| -> Result<_, Infallible> {
        Ok(vec![AccountEvent::Deposited { cents: 5 }, AccountEvent::Withdrawn { cents: 2 }])
    };
    let done = account("a").update(&mut conn, there_and_back)?;
    assert_eq!((done.state.cents, done.state.folded, done.version), (3, 2, 2));
    assert_eq!(done.events()[1].event_type(), "MoneyWithdrawn");
    Ok(())
}

fn all_events_carry_what_the_command_carries<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    let account = account("a").correlation_id("request-1").causation_id(7).metadata(&["at", "desk"]);
    let twice = vec![AccountEvent::Deposited { cents: 1 }; 2];
    account.update(&mut conn, |_| Ok::<_, Infallible>(twice.clone()))?;
    let log = EventStore::new().read_forward(&mut conn, Position::START, 10)?;
    for event in log.events() {
        assert_eq!(event.correlation_id(), Some("request-1"));
        assert_eq!(event.causation_id(), Some("7"));
        assert_eq!(event.metadata_json(), Some(r#"["at","desk"]"#));
    }
    assert_eq!(log.events().len(), 2);
    Ok(())
}

fn what_an_event_says_itself_is_kept_unless_the_command_says_it<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    let nobody = EventStore::new().aggregate::<Nobody>("n");
    for (nobody, correlation_id) in
        [(nobody.clone(), "visit"), (nobody.correlation_id("request-1"), "request-1")]
    {
        let happened = NewEvent::new("CarelessHappened", &())?.correlation_id("visit").causation_id("button");
        let done = nobody.update(&mut conn, |_| Ok::<_, Infallible>(vec![Careless(happened.clone())]))?;
        let event = &done.events()[0];
        assert_eq!((event.correlation_id(), event.causation_id()), (Some(correlation_id), Some("button")));
    }
    Ok(())
}

fn aggregates_of_two_tenants_are_apart<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    account("a").execute(&mut conn, &Deposit(5))?;
    let at_acme = account("a").in_tenant("acme").execute(&mut conn, &Deposit(7))?;
    assert_eq!((at_acme.state.cents, at_acme.version), (7, 1));
    assert_eq!(at_acme.events()[0].tenant_id(), Some("acme"));
    assert_eq!(account("a").load(&mut conn)?.state.cents, 5);
    assert_eq!(account("a").in_tenant("acme").load(&mut conn)?.state.cents, 7);
    assert_eq!(account("a").in_tenant("other").load(&mut conn)?.version, 0);
    Ok(())
}

/// Versions are not given twice, so it does not become version 0.
fn an_aggregate_whose_events_were_erased_begins_anew_at_its_version<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    for id in ["a", "b", "c"] {
        fund(&mut conn, id, 3)?;
    }
    remove(&mut conn, "aggregate_type = 'Account'")?;
    let loaded = account("a").load(&mut conn)?;
    assert_eq!((loaded.state.cents, loaded.version), (0, 3));

    let nothing = account("a").execute(&mut conn, &Deposit(0))?;
    assert_eq!((nothing.version, nothing.events().len()), (3, 0));
    let alone = account("a").execute(&mut conn, &Deposit(5))?;
    assert_eq!((alone.state.cents, alone.version, alone.attempts), (5, 4, 2));
    let inside = write_transaction(&mut conn, |conn| account("b").execute(conn, &Deposit(5)))?;
    assert_eq!((inside.state.cents, inside.version, inside.attempts), (5, 4, 1));
    let expecting = account("c").expecting(ExpectedVersion::Exact(3)).execute(&mut conn, &Deposit(5))?;
    assert_eq!((expecting.state.cents, expecting.version), (5, 4));
    assert_eq!(account("a").load(&mut conn)?.state.cents, 5);
    Ok(())
}

fn what_is_caused_by_an_event_carries_its_ids<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    let first = account("a").correlation_id("request-1").execute(&mut conn, &Deposit(5))?;
    let cause = &first.events()[0];
    let second = account("b").caused_by(cause).execute(&mut conn, &Deposit(5))?;
    assert_eq!(second.events()[0].causation_id(), Some(&*cause.id().to_string()));
    assert_eq!(second.events()[0].correlation_id(), Some("request-1"));

    let third = account("c").execute(&mut conn, &Deposit(5))?;
    let fourth = account("d").caused_by(&third.events()[0]).execute(&mut conn, &Deposit(5))?;
    assert_eq!(fourth.events()[0].correlation_id(), None);
    Ok(())
}

fn what_is_caused_by_an_event_belongs_to_its_tenant<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    let first = account("a").in_tenant("acme").execute(&mut conn, &Deposit(5))?;
    let cause = &first.events()[0];
    let done = |account: AggregateRef<Account>, conn: &mut D::Conn| {
        let done = account.execute(conn, &Deposit(5))?;
        Ok::<_, ExecuteError<Infallible>>(done.events()[0].tenant_id().map(str::to_owned))
    };
    assert_eq!(done(account("b").caused_by(cause), &mut conn)?.as_deref(), Some("acme"));
    let other =
        [account("b").in_tenant("other").caused_by(cause), account("b").caused_by(cause).in_tenant("other")];
    for account in other {
        assert_eq!(done(account, &mut conn)?.as_deref(), Some("other"));
    }
    Ok(())
}

/// What a stream holds that the aggregate does not know stops it: to pass over it would be to guess.
fn an_event_that_cannot_be_read_is_named<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    let stream = fund(&mut conn, "a", 2)?;
    let foreign = NewEvent::new("OrderPlaced", &())?;
    EventStore::new().append(&mut conn, &stream, ExpectedVersion::Any, &[foreign])?;
    let Err(LoadError::Event(error)) = account("a").load(&mut conn) else { panic!("it was loaded") };
    assert!(matches!(error.problem(), EventProblem::UnknownType));
    assert!(error.to_string().starts_with("OrderPlaced version 1, event 3 of Account/a"), "{error}");
    let refused = account("a").execute(&mut conn, &Deposit(1)).unwrap_err();
    assert!(matches!(refused, ExecuteError::Load(LoadError::Event(_))), "{refused:?}");
    assert_eq!(count(&mut conn, "events")?, 3);
    Ok(())
}

fn an_upcast_that_fails_among_other_events_is_named<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    let stream = fund(&mut conn, "a", 2)?;
    let twice = NewEvent::new("MoneyDepositedTwice", &"a lot")?;
    EventStore::new().append(&mut conn, &stream, ExpectedVersion::Any, &[twice])?;
    let later = AccountEvent::Deposited { cents: 1 }.to_new()?;
    EventStore::new().append(&mut conn, &stream, ExpectedVersion::Any, &[later])?;
    let Err(LoadError::Event(error)) = account("a").load(&mut conn) else { panic!("it was loaded") };
    assert!(matches!(error.problem(), EventProblem::Upcast { .. }), "{error}");
    assert!(error.to_string().starts_with("MoneyDepositedTwice version 1, event 3 of Account/a"), "{error}");
    let refused = account("a").update(&mut conn, |_| -> Result<_, Infallible> { panic!("it was decided") });
    assert!(matches!(refused, Err(ExecuteError::Load(LoadError::Event(_)))), "{refused:?}");
    assert_eq!(count(&mut conn, "events")?, 4);
    Ok(())
}

fn every_failure_becomes_an_error_of_the_crate<D: TestDatabase>() -> Result {
    let (_db, mut conn) = migrated::<D>()?;
    let rejected = Error::from(account("a").execute(&mut conn, &Withdraw(4)).unwrap_err());
    let Error::Rejected(rejection) = &rejected else { panic!("{rejected:?}") };
    assert!(rejection.is::<NotEnough>());

    let of_the_crate =
        account("a").update(&mut conn, |_| Err(user("").map(drop).map_err(Error::from).unwrap_err()));
    assert!(matches!(Error::from(of_the_crate.unwrap_err()), Error::Invalid(_)));

    execute(&mut conn, "DROP TABLE events")?;
    let broken = Error::from(account("a").execute(&mut conn, &Deposit(1)).unwrap_err());
    assert!(matches!(broken, Error::Database(_)), "{broken:?}");
    assert!(!broken.is_retryable());
    Ok(())
}
