//! A batch with an idempotency key is appended once, however often it is repeated.

use chrono::{DateTime, Utc};
use diesel_event_store::ExpectedVersion::{Any, Exact, NoStream};
use diesel_event_store::{
    AppendBatch, AppendError, BatchAppended, Error, EventConnection, EventStore, InvalidInput,
    MAX_NAME_LENGTH, NewEvent, StreamId, chrono, write_transaction,
};
use test_support::{
    Result, TestDatabase, app_rows, at_once, changed, count, counted, create_app_rows, insert_app_row, user,
};

use super::housekeeping::remove;

tests! {
    a_repetition_gets_the_result_of_the_first,
    a_repetition_gets_the_events_of_its_own_among_many_others,
    the_same_request_may_write_its_maps_in_another_order,
    the_same_request_may_differ_in_what_is_no_content,
    other_content_is_refused_by_what_is_there,
    a_refused_batch_has_used_no_key,
    a_refused_batch_of_one_stream_has_used_no_key,
    of_many_that_expect_one_version_one_has_used_its_key,
    what_was_rolled_back_has_used_no_key,
    a_transaction_gets_the_result_and_goes_on,
    a_transaction_repeats_what_it_has_appended_itself,
    many_at_the_same_moment_append_once,
    many_at_the_same_moment_append_once_inside_transactions,
    a_repetition_that_waits_takes_over_if_the_first_is_rolled_back,
    keys_of_two_tenants_are_apart,
    keys_are_kept_to_the_character,
    a_key_that_cannot_be_kept_is_refused,
    an_expired_key_is_free_again,
    a_key_expires_only_after_the_moment_of_its_use,
    all_keys_or_none_expire_at_the_ends_of_time,
    once_events_were_erased_the_key_says_so,
}

const STORE: EventStore = EventStore::new();

fn application<D: TestDatabase>() -> Result<(D, D::Conn)> {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    create_app_rows(&mut conn)?;
    Ok((db, conn))
}

/// A transfer from Alice to Bob, each time with new ids.
fn transfer(cents: i64) -> Result<AppendBatch, InvalidInput> {
    Ok(AppendBatch::new().append(&user("bob")?, Any, [NewEvent::new("Received", &cents)?]).append(
        &user("alice")?,
        Any,
        [NewEvent::new("Sent", &cents)?, NewEvent::new("Charged", &1)?],
    ))
}

fn with_key(key: &str) -> Result<AppendBatch, InvalidInput> {
    Ok(transfer(100)?.idempotency_key(key))
}

fn append(conn: &mut impl EventConnection, batch: AppendBatch) -> Result<BatchAppended, AppendError> {
    STORE.append_batch(conn, &batch)
}

fn rows(conn: &mut impl EventConnection) -> Result<(i64, i64)> {
    Ok((count(conn, "events")?, count(conn, "append_keys")?))
}

/// The stream, type and version of the first event, if it is there.
fn reused(refused: Result<BatchAppended, AppendError>) -> Option<(StreamId, String, i64)> {
    match refused {
        Err(AppendError::KeyReused { recorded, .. }) => {
            recorded.map(|event| (event.stream().clone(), event.event_type().to_owned(), event.version()))
        }
        other => panic!("{other:?}"),
    }
}

fn a_repetition_gets_the_result_of_the_first<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    STORE.append(&mut conn, &user("alice")?, NoStream, &counted(3)?)?;
    let first = append(&mut conn, with_key("k")?)?;
    STORE.append(&mut conn, &user("alice")?, Any, &counted(2)?)?;
    let again = append(&mut db.connect()?, with_key("k")?)?;
    assert_eq!((first.is_repeat(), again.is_repeat()), (false, true));
    assert_eq!(again.streams(), first.streams());
    assert_eq!((again.streams()[1].previous_version(), again.last_position()), (3, first.last_position()));
    assert_eq!(rows(&mut conn)?, (8, 1));
    Ok(())
}

/// More than are read at once, before and after.
fn a_repetition_gets_the_events_of_its_own_among_many_others<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    STORE.append(&mut conn, &user("alice")?, NoStream, &counted(150)?)?;
    let first = append(&mut conn, with_key("k")?)?;
    for added in [150, 47, 1, 1, 1] {
        STORE.append(&mut conn, &user("alice")?, Any, &counted(added)?)?;
        assert_eq!(append(&mut conn, with_key("k")?)?.streams(), first.streams());
    }
    Ok(())
}

/// A hash map is written in another order each time.
fn the_same_request_may_write_its_maps_in_another_order<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let place = |json: &'static str| {
        let placed = NewEvent::from_json("Placed", json)?;
        Ok::<_, InvalidInput>(AppendBatch::new().append(&user("alice")?, Any, [placed]).idempotency_key("k"))
    };
    let first = append(&mut conn, place(r#"{"prices":{"tea":1,"milk":2},"gift":true}"#)?)?;
    let again = append(&mut conn, place(r#"{"gift":true,"prices":{"milk":2,"tea":1}}"#)?)?;
    assert_eq!((again.is_repeat(), again.streams()), (true, first.streams()));
    assert!(reused(append(&mut conn, place(r#"{"prices":{"tea":2,"milk":1},"gift":true}"#)?)).is_some());
    Ok(())
}

fn the_same_request_may_differ_in_what_is_no_content<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let order = user("alice")?;
    let place = |expected, event| AppendBatch::new().append(&order, expected, [event]).idempotency_key("k");
    let first = append(&mut conn, place(NoStream, NewEvent::new("Placed", &1)?))?;
    let other = NewEvent::new("Placed", &1)?.metadata(&"again")?.correlation_id("c");
    assert_eq!(append(&mut conn, place(Exact(7), other))?.streams(), first.streams());
    Ok(())
}

fn other_content_is_refused_by_what_is_there<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, with_key("k")?)?;
    let [alice, bob] = [user("alice")?, user("bob")?];
    let sent = || [NewEvent::new("Sent", &100).unwrap(), NewEvent::new("Charged", &1).unwrap()];
    let received = || NewEvent::new("Received", &100).unwrap();
    let others = [
        transfer(101)?,
        AppendBatch::new().append(&alice, Any, sent()).append(&bob, Any, [received()]),
        AppendBatch::new().append(&bob, Any, [received()]),
        AppendBatch::new().append(&bob, Any, [received()]).append(&user("carol")?, Any, sent()),
        AppendBatch::new().append(&bob, Any, [received().event_version(2)]).append(&alice, Any, sent()),
        AppendBatch::new().append(&bob, Any, [NewEvent::new("Refused", &100)?]).append(&alice, Any, sent()),
    ];
    for other in others {
        let refused = append(&mut conn, other.idempotency_key("k"));
        let message = refused.as_ref().err().map(ToString::to_string);
        let expected = "the idempotency key \"k\" was used before, for Received in User/bob, version 1";
        assert_eq!(message.as_deref(), Some(expected));
        assert_eq!(reused(refused), Some((bob.clone(), "Received".to_owned(), 1)));
    }
    assert_eq!(rows(&mut conn)?, (3, 1));
    Ok(())
}

fn a_refused_batch_has_used_no_key<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let carol = user("carol")?;
    let late = with_key("k")?.append(&carol, Exact(7), counted(1)?);
    assert!(append(&mut conn, late).unwrap_err().conflict().is_some());
    assert_eq!(rows(&mut conn)?, (0, 0));
    assert!(!append(&mut conn, with_key("k")?)?.is_repeat());
    Ok(())
}

fn a_refused_batch_of_one_stream_has_used_no_key<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let (alice, there) = (user("alice")?, counted(2)?);
    STORE.append(&mut conn, &alice, NoStream, &there)?;
    let of_alice =
        |expected, events| AppendBatch::new().append(&alice, expected, events).idempotency_key("k");
    for expected in [NoStream, Exact(1), Exact(3)] {
        let conflict = append(&mut conn, of_alice(expected, counted(1)?)).unwrap_err();
        assert_eq!(conflict.conflict().map(|conflict| conflict.actual), Some(2), "{conflict}");
    }
    match append(&mut conn, of_alice(Any, [counted(1)?, there].concat())) {
        Err(AppendError::DuplicateEventId { event_index: 1, recorded: Some(_), .. }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(rows(&mut conn)?, (2, 0));
    let first = append(&mut conn, of_alice(Exact(2), counted(1)?))?;
    assert_eq!((first.is_repeat(), first.streams()[0].version()), (false, 3));
    assert_eq!(rows(&mut conn)?, (3, 1));
    Ok(())
}

fn of_many_that_expect_one_version_one_has_used_its_key<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let alice = user("alice")?;
    let mut conns = (0..6).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    for version in 0..10 {
        let outcomes = at_once(&mut conns, |nth, conn| {
            let batch = AppendBatch::new().append(&alice, Exact(version), counted(1).unwrap());
            append(conn, batch.idempotency_key(format!("{version}-{nth}")))
        });
        for refused in outcomes.into_iter().filter_map(Result::err) {
            assert_eq!(refused.conflict().map(|conflict| conflict.actual), Some(version + 1), "{refused}");
        }
        assert_eq!(rows(&mut conn)?, (version + 1, version + 1));
    }
    Ok(())
}

fn what_was_rolled_back_has_used_no_key<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let rolled_back = write_transaction(&mut conn, |conn| -> Result<(), Error> {
        append(conn, with_key("k")?)?;
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    assert!(!append(&mut conn, with_key("k")?)?.is_repeat());
    assert_eq!(rows(&mut conn)?, (3, 1));
    Ok(())
}

fn a_transaction_gets_the_result_and_goes_on<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let first = append(&mut conn, with_key("k")?)?;
    write_transaction(&mut conn, |conn| -> Result {
        insert_app_row(conn, "before")?;
        assert_eq!(append(conn, with_key("k")?)?.streams(), first.streams());
        reused(append(conn, transfer(5)?.idempotency_key("k")));
        let late = transfer(5)?.append(&user("carol")?, Exact(7), counted(1)?).idempotency_key("late");
        assert!(append(conn, late).is_err());
        insert_app_row(conn, "after")?;
        append(conn, with_key("other")?)?;
        Ok(())
    })?;
    assert_eq!(app_rows(&mut conn)?, ["after", "before"]);
    assert_eq!(rows(&mut conn)?, (6, 2));
    Ok(())
}

fn a_transaction_repeats_what_it_has_appended_itself<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    diesel::Connection::transaction(&mut conn, |conn| -> Result {
        let first = append(conn, with_key("k")?)?;
        let again = append(conn, with_key("k")?)?;
        assert_eq!((again.streams(), again.is_repeat()), (first.streams(), true));
        Ok(())
    })?;
    assert_eq!(rows(&mut conn)?, (3, 1));
    Ok(())
}

/// One has appended, and all have its result.
fn assert_once(conn: &mut impl EventConnection, outcomes: Vec<Result<BatchAppended>>) -> Result {
    let outcomes = outcomes.into_iter().collect::<Result<Vec<_>>>()?;
    assert_eq!(outcomes.iter().filter(|outcome| !outcome.is_repeat()).count(), 1);
    assert!(outcomes.iter().all(|outcome| outcome.streams() == outcomes[0].streams()));
    assert_eq!(rows(conn)?, (3, 1));
    Ok(())
}

fn many_at_the_same_moment_append_once<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let mut conns = (0..12).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    let outcomes = at_once(&mut conns, |_, conn| -> Result<_> { Ok(append(conn, with_key("k")?)?) });
    assert_once(&mut conn, outcomes)
}

fn many_at_the_same_moment_append_once_inside_transactions<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let mut conns = (0..12).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    let outcomes = at_once(&mut conns, |_, conn| -> Result<_> {
        Ok(STORE.transaction(conn, |conn| -> Result<_, Error> {
            insert_app_row(conn, "row")?;
            Ok(append(conn, with_key("k")?)?)
        })?)
    });
    assert_eq!(app_rows(&mut conn)?.len(), 12);
    assert_once(&mut conn, outcomes)
}

fn a_repetition_that_waits_takes_over_if_the_first_is_rolled_back<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let mut conns = (0..4).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    let outcomes = std::thread::scope(|scope| -> Result<_> {
        let mut waiting = None;
        let rolled_back = write_transaction(&mut conn, |conn| -> Result<(), Error> {
            append(conn, with_key("k")?)?;
            let again = || at_once(&mut conns, |_, conn| -> Result<_> { Ok(append(conn, with_key("k")?)?) });
            waiting = Some(scope.spawn(again));
            std::thread::sleep(std::time::Duration::from_millis(100));
            Err(diesel::result::Error::RollbackTransaction.into())
        });
        assert!(rolled_back.is_err());
        Ok(waiting.ok_or("they wait")?.join().map_err(|_| "no panic")?)
    })?;
    assert_once(&mut conn, outcomes)
}

fn keys_of_two_tenants_are_apart<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    for tenant in ["acme", "Acme", "acme "] {
        let alice = user("alice")?.in_tenant(tenant)?;
        let batch = || AppendBatch::new().append(&alice, Any, counted(1).unwrap()).idempotency_key("k");
        assert!(!append(&mut conn, batch())?.is_repeat());
        assert!(append(&mut conn, batch())?.is_repeat());
    }
    assert!(!append(&mut conn, with_key("k")?)?.is_repeat());
    assert_eq!(rows(&mut conn)?, (6, 4));
    Ok(())
}

fn keys_are_kept_to_the_character<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let long = "ß".repeat(MAX_NAME_LENGTH);
    for key in ["k", "K", "k ", " k", "🔑", &long] {
        assert!(!append(&mut conn, with_key(key)?)?.is_repeat());
        assert!(append(&mut conn, with_key(key)?)?.is_repeat());
    }
    Ok(())
}

fn a_key_that_cannot_be_kept_is_refused<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    for key in [String::new(), "x".repeat(MAX_NAME_LENGTH + 1), "a\nb".to_owned()] {
        match append(&mut conn, with_key(&key)?) {
            Err(AppendError::Invalid(invalid)) => assert_eq!(invalid.field(), "idempotency_key"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(rows(&mut conn)?, (0, 0));
    Ok(())
}

fn an_expired_key_is_free_again<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, with_key("old")?)?;
    append(&mut conn, with_key("new")?)?;
    changed(
        &mut conn,
        "UPDATE append_keys SET created_at = '2020-01-01T00:00:00.000000' WHERE idempotency_key = 'old'",
    )?;
    let at = |text: &str| text.parse::<DateTime<Utc>>();
    assert_eq!(STORE.delete_keys_before(&mut conn, at("2019-01-01T00:00:00Z")?)?, 0);
    assert_eq!(STORE.delete_keys_before(&mut conn, at("2021-01-01T00:00:00Z")?)?, 1);
    assert!(append(&mut conn, with_key("new")?)?.is_repeat());
    assert!(!append(&mut conn, with_key("old")?)?.is_repeat());
    assert_eq!(STORE.delete_keys_before(&mut conn, Utc::now() + std::time::Duration::from_secs(60))?, 2);
    Ok(())
}

fn a_key_expires_only_after_the_moment_of_its_use<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let used = append(&mut conn, with_key("k")?)?.streams()[0].events()[0].created_at();
    assert_eq!(STORE.delete_keys_before(&mut conn, used)?, 0);
    let later = used + std::time::Duration::from_micros(1);
    assert_eq!(STORE.delete_keys_before(&mut conn, later)?, 1);
    Ok(())
}

/// No database stores such times, and each had ideas of its own what to make of them.
fn all_keys_or_none_expire_at_the_ends_of_time<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, with_key("k")?)?;
    assert_eq!(STORE.delete_keys_before(&mut conn, DateTime::<Utc>::MIN_UTC)?, 0);
    assert_eq!(STORE.delete_keys_before(&mut conn, DateTime::<Utc>::MAX_UTC)?, 1);
    Ok(())
}

/// The first event, or any other: the result is gone, and nothing is appended again.
fn once_events_were_erased_the_key_says_so<D: TestDatabase>() -> Result {
    for erased in ["Received", "Sent", "Charged"] {
        let (_db, mut conn) = application::<D>()?;
        append(&mut conn, with_key("k")?)?;
        remove(&mut conn, &format!("event_type = '{erased}'"))?;
        let refused = append(&mut conn, with_key("k")?);
        let message = refused.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert!(message.ends_with("for events that have been erased since"), "{message}");
        assert_eq!(reused(refused), None);
        assert_eq!(rows(&mut conn)?, (2, 1));
    }
    Ok(())
}
