//! An aggregate whose events were archived is not taken for a new one.

use std::convert::Infallible;
use std::fmt::Debug;

use diesel_event_store::transfer::{export_archive, remove_archived, restore};
use diesel_event_store::{
    Event, EventConnection, EventStore, ExecuteError, ExpectedVersion, LoadError, NewEvent, Position,
    StreamId, write_transaction,
};
use serde_json::json;
use test_support::{Result, TestDatabase, counted, user};

use crate::suite::aggregates::{AccountEvent, Deposit, Withdraw, account, fund};

tests! {
    it_is_not_loaded,
    it_is_not_loaded_without_its_first_event_alone,
    nothing_is_decided,
    it_is_loaded_again_once_it_is_restored,
}

/// The accounts a and b have two events each, which are in the file.
fn archived<D: TestDatabase>() -> Result<(D, D::Conn, Vec<u8>)> {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for id in ["a", "b"] {
        fund(&mut conn, id, 2)?;
    }
    let alice = user("alice")?;
    EventStore::new().append(&mut conn, &alice, ExpectedVersion::NoStream, &counted(1)?)?;
    let mut file = Vec::new();
    export_archive(&mut conn, Position::END, &mut file)?;
    assert_eq!(remove_archived(&mut conn, || Ok(&*file))?.streams(), 2);
    Ok((db, conn, file))
}

fn is_archived(error: &LoadError) -> bool {
    matches!(error, LoadError::Archived { first_version: 3, stream, .. } if stream.aggregate_id() == "a")
}

/// Past the aggregate.
fn append<C: EventConnection>(conn: &mut C) -> Result {
    let deposited = NewEvent::new("MoneyDeposited", &json!({ "cents": 1 }))?;
    EventStore::new().append(
        conn,
        &StreamId::new("Account", "a")?,
        ExpectedVersion::Exact(2),
        &[deposited],
    )?;
    Ok(())
}

fn it_is_not_loaded<D: TestDatabase>() -> Result {
    let (_db, mut conn, _) = archived::<D>()?;
    let refused = account("a").load(&mut conn).unwrap_err();
    assert!(is_archived(&refused), "{refused:?}");
    let said = "the events of Account/a before version 3 were archived: restore them first";
    assert_eq!((refused.to_string(), refused.is_retryable()), (said.to_owned(), false));
    // Not from later events alone, either.
    append(&mut conn)?;
    assert!(is_archived(&account("a").load(&mut conn).unwrap_err()));
    Ok(())
}

fn it_is_not_loaded_without_its_first_event_alone<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    fund(&mut conn, "a", 1)?;
    let alice = user("alice")?;
    EventStore::new().append(&mut conn, &alice, ExpectedVersion::NoStream, &counted(1)?)?;
    let mut file = Vec::new();
    export_archive(&mut conn, Position::END, &mut file)?;
    assert_eq!(remove_archived(&mut conn, || Ok(&*file))?.streams(), 1);
    let deposited = [AccountEvent::Deposited { cents: 1 }.to_new()?];
    let stream = StreamId::new("Account", "a")?;
    EventStore::new().append(&mut conn, &stream, ExpectedVersion::Exact(1), &deposited)?;
    let refused = account("a").load(&mut conn);
    assert!(matches!(refused, Err(LoadError::Archived { first_version: 2, .. })), "{refused:?}");
    Ok(())
}

fn refused<T: Debug, E: Debug>(outcome: Result<T, ExecuteError<E>>) {
    match outcome {
        Err(ExecuteError::Load(error)) => assert!(is_archived(&error), "{error:?}"),
        other => panic!("{other:?}"),
    }
}

fn nothing_is_decided<D: TestDatabase>() -> Result {
    let (_db, mut conn, _) = archived::<D>()?;
    refused(account("a").execute(&mut conn, &Deposit(5)));
    // To a new account it would be rejected, or come to nothing.
    refused(account("a").execute(&mut conn, &Withdraw(5)));
    refused(account("a").update(&mut conn, |_| Ok::<Vec<AccountEvent>, Infallible>(vec![])));
    let expecting = account("a").expecting(ExpectedVersion::Exact(2));
    refused(expecting.execute(&mut conn, &Deposit(5)));
    refused(write_transaction(&mut conn, |conn| account("a").execute(conn, &Deposit(5))));
    assert_eq!(EventStore::new().version(&mut conn, &StreamId::new("Account", "a")?)?, 2);
    assert_eq!(account("c").execute(&mut conn, &Deposit(5))?.version, 1, "a new one is a new one");
    Ok(())
}

fn it_is_loaded_again_once_it_is_restored<D: TestDatabase>() -> Result {
    let (_db, mut conn, file) = archived::<D>()?;
    append(&mut conn)?;
    restore(&mut conn, || Ok(&*file))?;
    let loaded = account("a").load(&mut conn)?;
    assert_eq!((loaded.version, loaded.state.cents), (3, 3));
    Ok(())
}
