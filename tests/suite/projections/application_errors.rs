//! What a projection makes of the application's own errors: it looks through them, and writes down whatever
//! they say.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::Connection;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_event_store::projection::{
    self, FailureKind, HandlerError, OnFailure, ParkReason, Projection, ProjectionError, ProjectionState,
};
use diesel_event_store::{
    AppendError, DecodeError, Error, EventConnection, EventStore, ExecuteError, ExpectedVersion, NewEvent,
    RecordedEvent, StreamId,
};
use test_support::{Result, TestDatabase, eventually, execute};

use super::{NAME, append, application, applied, insert, reached, runner, states};

tests! {
    an_error_that_may_not_come_again_is_known_inside_any_other,
    a_conflict_that_leaves_the_handler_runs_the_batch_again,
    content_that_cannot_be_decoded_is_known_inside_any_other,
    a_handler_says_what_is_to_be_done,
    what_an_error_says_is_written_down_whatever_it_is,
    a_stop_is_marked_whatever_the_error_says,
    nothing_is_tried_again_in_the_applications_transaction,
    what_does_not_count_is_not_tried_for_ever,
    a_batch_that_gives_way_is_applied_in_smaller_ones,
    a_panic_in_a_nested_transaction_is_a_failure_like_any_other,
    a_function_that_connects_may_panic,
}

/// The errors of an application, as they are mostly written.
#[derive(Debug, thiserror::Error)]
enum ShopError {
    #[error("database: {0}")]
    Database(#[from] DieselError),
    #[error(transparent)]
    Store(#[from] Error),
    #[error("payload: {0}")]
    Payload(#[from] DecodeError),
    #[error("while it was shipped")]
    Shipping(#[source] Box<ShopError>),
    #[error(transparent)]
    Passed(Box<ShopError>),
}

fn deadlock() -> DieselError {
    DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, Box::new("gave way".to_owned()))
}

/// A projection whose handler fails so the first time, with the number of its calls.
fn failing_once<C: EventConnection + 'static>(
    error: impl Fn() -> HandlerError + Send + Sync + 'static,
) -> (Projection<C>, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let users = Projection::new(NAME, 1, move |conn: &mut C, event| {
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            return Err(error());
        }
        insert(conn, event)
    });
    (users.retries(0, Duration::ZERO), calls)
}

fn an_error_that_may_not_come_again_is_known_inside_any_other<D: TestDatabase>() -> Result {
    let wrap: [fn() -> HandlerError; 4] = [
        || ShopError::from(deadlock()).into(),
        || ShopError::Store(Error::from(deadlock())).into(),
        || ShopError::Shipping(Box::new(deadlock().into())).into(),
        || ShopError::Passed(Box::new(deadlock().into())).into(),
    ];
    for error in wrap {
        let (_db, mut conn) = application::<D>()?;
        append(&mut conn, "alice", 1)?;
        let (users, calls) = failing_once(error);
        users.on_failure(OnFailure::Skip).catch_up(&mut conn)?;
        assert_eq!((applied(&mut conn)?.len(), calls.load(Ordering::SeqCst)), (1, 2), "{}", error());
    }
    Ok(())
}

/// The handler decides again on what has happened meanwhile, and nothing is parked, retried or written down.
fn a_conflict_that_leaves_the_handler_runs_the_batch_again<D: TestDatabase>() -> Result {
    fn late(conn: &mut impl EventConnection) -> AppendError {
        let stream = StreamId::new("User", "late").expect("a name");
        let events = [NewEvent::new("Decided", &()).expect("JSON")];
        EventStore::new().append(conn, &stream, ExpectedVersion::Exact(9), &events).expect_err("it is at 0")
    }
    let wrap: [fn(AppendError) -> HandlerError; 6] = [
        |error| error.into(),
        |error| error.conflict().expect("a conflict").clone().into(),
        |error| Error::from(error).into(),
        |error| ExecuteError::<ShopError>::from(error).into(),
        |error| ShopError::Shipping(Box::new(Error::from(error).into())).into(),
        |error| ShopError::Passed(Box::new(Error::from(error).into())).into(),
    ];
    for error in wrap {
        let (_db, mut conn) = application::<D>()?;
        append(&mut conn, "alice", 1)?;
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let users = Projection::new(NAME, 1, move |conn: &mut D::Conn, event| {
            if counted.fetch_add(1, Ordering::SeqCst) < 3 {
                return Err(error(late(conn)));
            }
            insert(conn, event)
        });
        users.retries(0, Duration::ZERO).on_failure(OnFailure::Stop).catch_up(&mut conn)?;
        assert_eq!((applied(&mut conn)?.len(), calls.load(Ordering::SeqCst)), (1, 4));
    }
    Ok(())
}

fn content_that_cannot_be_decoded_is_known_inside_any_other<D: TestDatabase>() -> Result {
    type Decode = fn(&RecordedEvent) -> Result<String, ShopError>;
    let decode: [Decode; 3] = [
        |event| Ok(event.payload()?),
        |event| event.payload().map_err(|error| ShopError::Store(Error::from(error))),
        |event| event.payload().map_err(|error| ShopError::Shipping(ShopError::from(error).into())),
    ];
    for decode in decode {
        let (_db, mut conn) = application::<D>()?;
        append(&mut conn, "alice", 1)?;
        let users = Projection::new(NAME, 1, move |_: &mut D::Conn, event| {
            decode(event)?;
            Ok(())
        });
        users.on_undecodable(OnFailure::Park).catch_up(&mut conn)?;
        let parked = projection::parked(&mut conn, (NAME, 1))?;
        assert_eq!(parked[0].reason(), ParkReason::Undecodable, "{}", parked[0].error());
    }
    Ok(())
}

fn a_handler_says_what_is_to_be_done<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let (users, calls) = failing_once::<D::Conn>(|| HandlerError::retry("busy"));
    users.on_failure(OnFailure::Skip).catch_up(&mut conn)?;
    assert_eq!((applied(&mut conn)?.len(), calls.load(Ordering::SeqCst)), (1, 2));

    append(&mut conn, "bob", 1)?;
    let (users, calls) = failing_once::<D::Conn>(|| HandlerError::park("a person has to look"));
    users.retries(5, Duration::ZERO).catch_up(&mut conn)?;
    assert_eq!(projection::parked(&mut conn, (NAME, 1))?[0].error(), "a person has to look");
    assert_eq!(calls.load(Ordering::SeqCst), 1);

    append(&mut conn, "carol", 1)?;
    let (users, _) = failing_once::<D::Conn>(|| HandlerError::stop("there is a hole"));
    let stopped = users.on_failure(OnFailure::Skip).catch_up(&mut conn).unwrap_err();
    assert!(matches!(stopped, ProjectionError::Failed { attempts: 1, .. }), "{stopped:?}");
    assert_eq!(HandlerError::undecodable("no currency").kind(), FailureKind::Undecodable);
    Ok(())
}

fn what_an_error_says_is_written_down_whatever_it_is<D: TestDatabase>() -> Result {
    for (text, kept) in [("ab\0cd".to_owned(), 5), ("\u{1f4a5}".repeat(3_000_000), 8_001)] {
        let (_db, mut conn) = application::<D>()?;
        append(&mut conn, "alice", 1)?;
        let users =
            Projection::new(NAME, 1, move |_: &mut D::Conn, _| Err(HandlerError::failed(text.clone())));
        users.on_failure(OnFailure::Park).retries(0, Duration::ZERO).catch_up(&mut conn)?;
        let parked = projection::parked(&mut conn, (NAME, 1))?;
        assert_eq!(parked[0].error().chars().count(), kept);
    }
    Ok(())
}

fn a_stop_is_marked_whatever_the_error_says<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let users = Projection::new(NAME, 1, |_: &mut D::Conn, _| Err(HandlerError::failed("no \0 article")));
    let running = runner(&db).projection(users.retries(0, Duration::ZERO)).start()?;
    eventually("it has failed", || Ok(states(&mut conn)? == [ProjectionState::Failed]))?;
    eventually("it is told why", || {
        Ok(running.failures().iter().any(|failure| failure.to_string().contains("article")))
    })
}

/// Only the application knows what else is in its transaction, and whether the database has rolled it back.
fn nothing_is_tried_again_in_the_applications_transaction<D: TestDatabase>() -> Result {
    for error in [|| HandlerError::retry("gave way"), || HandlerError::failed("no such customer")] {
        let (_db, mut conn) = application::<D>()?;
        append(&mut conn, "alice", 1)?;
        let before = reached(&mut conn).is_ok();
        let (users, calls) = failing_once::<D::Conn>(error);
        let users = users.retries(5, Duration::ZERO);
        let outcome = conn.transaction(|conn| -> Result<_> { Ok(users.catch_up(conn)) })?;
        let retryable = outcome.unwrap_err().is_retryable();
        assert_eq!((calls.load(Ordering::SeqCst), before), (1, false), "{}", error());
        assert_eq!(retryable, error().to_string() == "gave way", "{}", error());
    }
    Ok(())
}

fn what_does_not_count_is_not_tried_for_ever<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let stuck = || Projection::new(NAME, 1, |_: &mut D::Conn, _| Err(HandlerError::retry("still busy")));
    let error = stuck().on_failure(OnFailure::Skip).catch_up(&mut conn).unwrap_err();
    assert!(matches!(error, ProjectionError::RunAgain { .. }) && error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains("still busy"), "{error}");

    let running = runner(&db).projection(stuck()).start()?;
    eventually("it is told why nothing moves", || {
        Ok(running.failures().iter().any(|failure| failure.to_string().contains("still busy")))
    })
}

fn a_batch_that_gives_way_is_applied_in_smaller_ones<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 20)?;
    let users = Projection::in_batches(NAME, 1, |conn: &mut D::Conn, events| {
        if events.len() > 3 {
            return Err(HandlerError::retry("too many locks"));
        }
        events.iter().try_for_each(|event| insert(conn, event))
    });
    users.batch_size(20).catch_up(&mut conn)?;
    let expected: Vec<String> = (1..=20).map(|version| format!("alice {version}")).collect();
    assert_eq!(applied(&mut conn)?, expected);
    Ok(())
}

fn a_panic_in_a_nested_transaction_is_a_failure_like_any_other<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let users = Projection::new(NAME, 1, |conn: &mut D::Conn, event| {
        conn.transaction(|conn| -> Result<(), DieselError> {
            execute(conn, "INSERT INTO applied (name) VALUES ('never')")?;
            if event.version() == 1 {
                panic!("no such customer");
            }
            Ok(())
        })?;
        Ok(())
    });
    users.on_failure(OnFailure::Park).retries(0, Duration::ZERO).catch_up(&mut conn)?;
    let parked = projection::parked(&mut conn, (NAME, 1))?;
    assert!(parked[0].error().contains("no such customer"), "{}", parked[0].error());
    assert!(applied(&mut conn)?.is_empty(), "the second event is held behind the first");
    append(&mut conn, "bob", 1)?; // the connection is usable
    Ok(())
}

fn a_function_that_connects_may_panic<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let (connects, users) = (AtomicUsize::new(0), super::users::<D::Conn>());
    let connecting = Arc::clone(&db);
    let running = projection::Runner::new(move || {
        let nth = connects.fetch_add(1, Ordering::SeqCst);
        assert!(nth <= 1 || nth > 5, "the database is away");
        connecting.connect()
    })
    .projection(users)
    .start()?;
    append(&mut conn, "alice", 1)?;
    eventually("the event is applied", || Ok(applied(&mut conn)?.len() == 1))?;
    assert!(running.is_running());
    let failures = running.failures();
    assert!(
        failures.iter().any(|failure| failure.to_string().contains("the database is away")),
        "{failures:?}"
    );
    Ok(running.stop()?)
}
