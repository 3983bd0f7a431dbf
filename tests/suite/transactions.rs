//! Every operation works alone and inside the application's transaction, and shares its fate.

use diesel::Connection;
use diesel::result::Error::RollbackTransaction;
use diesel_event_store::{
    AppendError, Error, EventStore, ExpectedVersion, InvalidInput, NewEvent, Position, StreamId,
};
use test_support::{
    Result, TestDatabase, app_rows, count, counted, create_app_rows, insert_app_row, user, versions,
};

tests! {
    an_append_alone_is_committed,
    events_and_rows_are_committed_together,
    events_are_rolled_back_with_the_transaction,
    an_error_that_the_application_passes_on_rolls_everything_back,
    an_inner_transaction_is_rolled_back_without_the_outer,
    an_outer_transaction_takes_committed_inner_ones_along,
    a_conflict_leaves_the_transaction_usable,
    a_conflict_on_a_stream_that_is_missing_leaves_the_transaction_usable,
    a_duplicate_event_id_leaves_the_transaction_usable,
    bad_input_leaves_the_transaction_usable,
    an_append_that_failed_alone_leaves_no_transaction_open,
    several_streams_are_appended_to_in_one_transaction,
    a_transaction_sees_what_it_has_appended,
    others_see_nothing_of_an_open_transaction,
    a_lost_race_in_a_transaction_is_decided_anew,
}

/// A database with the event store's tables and one of the application's.
fn application<D: TestDatabase>() -> Result<(D, D::Conn)> {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    create_app_rows(&mut conn)?;
    Ok((db, conn))
}

fn an_append_alone_is_committed<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    store.append(&mut conn, &alice, ExpectedVersion::NoStream, &counted(2)?)?;
    assert_eq!(store.version(&mut db.connect()?, &alice)?, 2);
    Ok(())
}

fn events_and_rows_are_committed_together<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    conn.transaction(|conn| -> Result {
        insert_app_row(conn, "before")?;
        store.append(conn, &alice, ExpectedVersion::NoStream, &counted(2)?)?;
        insert_app_row(conn, "after")?;
        Ok(())
    })?;
    let mut other = db.connect()?;
    assert_eq!(app_rows(&mut other)?, ["after", "before"]);
    assert_eq!(versions(&store.read_stream(&mut other, &alice, ..)?), [1, 2]);
    Ok(())
}

fn events_are_rolled_back_with_the_transaction<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let (store, alice, bob) = (EventStore::new(), user("alice")?, user("bob")?);
    let kept = store.append(&mut conn, &alice, ExpectedVersion::NoStream, &counted(1)?)?;
    let events = counted(2)?;

    let rolled_back: Result = conn.transaction(|conn| {
        insert_app_row(conn, "row")?;
        store.append(conn, &alice, ExpectedVersion::Exact(1), &events)?;
        store.append(conn, &bob, ExpectedVersion::NoStream, &counted(2)?)?;
        Err(RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());

    let mut other = db.connect()?;
    assert!(app_rows(&mut other)?.is_empty());
    assert_eq!(store.read_forward(&mut other, Position::START, 10)?.events(), kept.events());
    assert_eq!((store.version(&mut other, &alice)?, store.version(&mut other, &bob)?), (1, 0));
    assert_eq!(count(&mut other, "aggregate_heads")?, 1);

    // Neither the version nor the ids have been used up.
    let appended = store.append(&mut conn, &alice, ExpectedVersion::Exact(1), &events)?;
    assert_eq!(versions(appended.events()), [2, 3]);
    Ok(())
}

fn an_error_that_the_application_passes_on_rolls_everything_back<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let (store, alice, bob) = (EventStore::new(), user("alice")?, user("bob")?);
    store.append(&mut conn, &bob, ExpectedVersion::NoStream, &counted(1)?)?;

    let refused = conn.transaction(|conn| -> Result<(), Error> {
        insert_app_row(conn, "row")?;
        store.append(conn, &alice, ExpectedVersion::NoStream, &counted(1)?)?;
        store.append(conn, &bob, ExpectedVersion::NoStream, &counted(1)?)?;
        Ok(())
    });

    assert_eq!(refused.unwrap_err().conflict().map(|conflict| &conflict.stream), Some(&bob));
    assert!(app_rows(&mut conn)?.is_empty());
    assert_eq!(store.version(&mut conn, &alice)?, 0);
    Ok(())
}

fn an_inner_transaction_is_rolled_back_without_the_outer<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    conn.transaction(|conn| -> Result {
        store.append(conn, &alice, ExpectedVersion::NoStream, &counted(1)?)?;
        let inner: Result = conn.transaction(|conn| {
            insert_app_row(conn, "inner")?;
            store.append(conn, &alice, ExpectedVersion::Exact(1), &counted(2)?)?;
            assert_eq!(store.version(conn, &alice)?, 3);
            Err(RollbackTransaction.into())
        });
        assert!(inner.is_err());
        assert_eq!(store.version(conn, &alice)?, 1);
        insert_app_row(conn, "outer")?;
        store.append(conn, &alice, ExpectedVersion::Exact(1), &counted(1)?)?;
        Ok(())
    })?;
    assert_eq!(app_rows(&mut conn)?, ["outer"]);
    assert_eq!(versions(&store.read_stream(&mut conn, &alice, ..)?), [1, 2]);
    Ok(())
}

fn an_outer_transaction_takes_committed_inner_ones_along<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    let outer: Result = conn.transaction(|conn| {
        conn.transaction(|conn| -> Result {
            conn.transaction(|conn| -> Result {
                insert_app_row(conn, "innermost")?;
                store.append(conn, &alice, ExpectedVersion::NoStream, &counted(1)?)?;
                Ok(())
            })
        })?;
        assert_eq!(store.version(conn, &alice)?, 1);
        Err(RollbackTransaction.into())
    });
    assert!(outer.is_err());
    assert!(app_rows(&mut conn)?.is_empty());
    assert_eq!(store.version(&mut conn, &alice)?, 0);
    assert!(store.read_stream(&mut conn, &alice, ..)?.is_empty());
    Ok(())
}

fn a_conflict_leaves_the_transaction_usable<D: TestDatabase>() -> Result {
    let (store, bob) = (EventStore::new(), user("bob")?);
    survives::<D>(
        |conn| store.append(conn, &bob, ExpectedVersion::NoStream, &counted(2)?).map(drop),
        |error| error.conflict().is_some_and(|conflict| conflict.stream == bob && conflict.actual == 1),
    )
}

fn a_conflict_on_a_stream_that_is_missing_leaves_the_transaction_usable<D: TestDatabase>() -> Result {
    let (store, nobody) = (EventStore::new(), user("nobody")?);
    survives::<D>(
        |conn| store.append(conn, &nobody, ExpectedVersion::StreamExists, &counted(2)?).map(drop),
        |error| error.conflict().is_some_and(|conflict| conflict.actual == 0),
    )
}

fn a_duplicate_event_id_leaves_the_transaction_usable<D: TestDatabase>() -> Result {
    let (store, bob) = (EventStore::new(), user("bob")?);
    survives::<D>(
        |conn| {
            // The first event of the batch is written before the second is refused.
            let known = store.read_stream(conn, &bob, ..).expect("bob's events").events()[0].id();
            let batch = [NewEvent::new("New", &())?, NewEvent::new("Known", &())?.with_id(known)];
            store.append(conn, &bob, ExpectedVersion::Any, &batch).map(drop)
        },
        |error| matches!(error, AppendError::DuplicateEventId { event_index: 1, .. }),
    )
}

fn bad_input_leaves_the_transaction_usable<D: TestDatabase>() -> Result {
    let (store, bob) = (EventStore::new(), user("bob")?);
    survives::<D>(
        |conn| {
            let batch = [NewEvent::new("Good", &())?, NewEvent::new("", &())?];
            store.append(conn, &bob, ExpectedVersion::Any, &batch).map(drop)
        },
        |error| matches!(error, AppendError::Invalid(invalid) if invalid.event_index() == Some(1)),
    )
}

/// An append that fails in the middle of the application's transaction: all the rest of it is committed.
fn survives<D: TestDatabase>(
    failing: impl FnOnce(&mut D::Conn) -> Result<(), AppendError>,
    as_expected: impl FnOnce(&AppendError) -> bool,
) -> Result {
    let (db, mut conn) = application::<D>()?;
    let (store, alice, bob) = (EventStore::new(), user("alice")?, user("bob")?);
    store.append(&mut conn, &bob, ExpectedVersion::NoStream, &counted(1)?)?;

    conn.transaction(|conn| -> Result {
        insert_app_row(conn, "before")?;
        store.append(conn, &alice, ExpectedVersion::NoStream, &counted(1)?)?;

        let error = failing(conn).unwrap_err();
        assert!(as_expected(&error), "{error:?}");

        assert_eq!(store.version(conn, &bob)?, 1);
        insert_app_row(conn, "after")?;
        store.append(conn, &alice, ExpectedVersion::Exact(1), &counted(1)?)?;
        store.append(conn, &bob, ExpectedVersion::Exact(1), &counted(1)?)?;
        Ok(())
    })?;

    let mut other = db.connect()?;
    assert_eq!(app_rows(&mut other)?, ["after", "before"]);
    assert_eq!(versions(&store.read_stream(&mut other, &alice, ..)?), [1, 2]);
    assert_eq!(versions(&store.read_stream(&mut other, &bob, ..)?), [1, 2]);
    assert_eq!(count(&mut other, "events")?, 4);
    assert_eq!(count(&mut other, "aggregate_heads")?, 2);
    Ok(())
}

fn an_append_that_failed_alone_leaves_no_transaction_open<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    let appended = store.append(&mut conn, &alice, ExpectedVersion::NoStream, &counted(1)?)?;
    let again = NewEvent::new("Again", &())?.with_id(appended.events()[0].id());

    for (expected, event) in [
        (ExpectedVersion::NoStream, NewEvent::new("Conflict", &())?),
        (ExpectedVersion::Any, again),
        (ExpectedVersion::Any, NewEvent::new("", &())?),
    ] {
        store.append(&mut conn, &alice, expected, &[event]).unwrap_err();
        // Somebody else can write, and whatever this connection writes next is committed.
        insert_app_row(&mut db.connect()?, "other")?;
        insert_app_row(&mut conn, "same")?;
    }
    assert_eq!(count(&mut db.connect()?, "app_rows")?, 6);
    assert_eq!(count(&mut conn, "events")?, 1);
    Ok(())
}

fn several_streams_are_appended_to_in_one_transaction<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let store = EventStore::new();
    let accounts = ["checking", "savings", "loan"].map(|id| StreamId::new("Account", id));
    let accounts = accounts.into_iter().collect::<Result<Vec<_>, InvalidInput>>()?;

    let appended = conn.transaction(|conn| -> Result<Vec<_>> {
        let mut appended = Vec::new();
        for _ in 0..2 {
            for account in &accounts {
                let recorded = store.append(conn, account, ExpectedVersion::Any, &counted(2)?)?;
                appended.extend(recorded.into_events());
            }
        }
        Ok(appended)
    })?;

    let mut other = db.connect()?;
    assert_eq!(store.read_forward(&mut other, Position::START, 100)?.events(), appended);
    for account in &accounts {
        assert_eq!(versions(&store.read_stream(&mut other, account, ..)?), [1, 2, 3, 4]);
    }
    Ok(())
}

fn a_transaction_sees_what_it_has_appended<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    conn.transaction(|conn| -> Result {
        let appended = store.append(conn, &alice, ExpectedVersion::NoStream, &counted(2)?)?;
        assert_eq!(store.version(conn, &alice)?, 2);
        assert_eq!(store.read_stream(conn, &alice, ..)?.events(), appended.events());
        let first = &appended.events()[0];
        assert_eq!(store.read_event(conn, first.id())?.as_ref(), Some(first));
        Ok(())
    })
}

fn others_see_nothing_of_an_open_transaction<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let mut other = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    let event = NewEvent::new("UserCreated", &())?;
    let id = event.id();
    conn.transaction(|conn| -> Result {
        store.append(conn, &alice, ExpectedVersion::NoStream, &[event])?;
        store.save_checkpoint(conn, "projection", Position::new(1)?)?;
        assert_eq!(store.version(&mut other, &alice)?, 0);
        assert!(store.read_stream(&mut other, &alice, ..)?.is_empty());
        assert!(store.read_forward(&mut other, Position::START, 10)?.is_empty());
        assert_eq!(store.last_position(&mut other)?, Position::START);
        assert_eq!(store.read_event(&mut other, id)?, None);
        assert_eq!(store.checkpoint(&mut other, "projection")?, None);
        Ok(())
    })?;
    assert_eq!(store.version(&mut other, &alice)?, 1);
    assert_eq!(store.read_forward(&mut other, Position::START, 10)?.len(), 1);
    Ok(())
}

fn a_lost_race_in_a_transaction_is_decided_anew<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    let seen = store.version(&mut conn, &alice)?;
    store.append(&mut db.connect()?, &alice, ExpectedVersion::Any, &counted(4)?)?;

    conn.transaction(|conn| -> Result {
        let event = [NewEvent::new("Late", &())?];
        let lost = store.append(conn, &alice, ExpectedVersion::Exact(seen), &event).unwrap_err();
        let actual = lost.conflict().expect("a conflict").actual;
        store.append(conn, &alice, ExpectedVersion::Exact(actual), &event)?;
        Ok(())
    })?;

    assert_eq!(store.version(&mut db.connect()?, &alice)?, 5);
    Ok(())
}
