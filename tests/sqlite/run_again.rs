//! Which errors say that the same may well succeed when it is run again, whatever they were made into.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::SqliteConnection;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_event_store::operate::{FreezeError, SealError};
use diesel_event_store::projection::{HandlerError, OnFailure, Projection, ProjectionError};
use diesel_event_store::{
    AppendError, DatabaseError, Error, ExpectedVersion, LoadError, MigrationError, OrderingError, ReadError,
    RunAgain,
};
use test_support::sqlite_file::SqliteFile;

use super::application_error::AppError;
use super::database::{STORE, append_one, event, stream};

type Boxed = Box<dyn std::error::Error + Send + Sync>;
type Fails = fn() -> HandlerError;
type Of = fn(DieselError) -> Error;

fn deadlock() -> DieselError {
    DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, Box::new("gave way".to_owned()))
}

fn lost_connection() -> DieselError {
    DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new("gone".to_owned()))
}

/// A projection whose handler fails so the first time, with the number of its calls.
fn failing_once(
    error: impl Fn() -> HandlerError + Send + Sync + 'static,
) -> (Projection<SqliteConnection>, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let orders = Projection::new("orders", 1, move |_: &mut SqliteConnection, _| {
        if counted.fetch_add(1, Ordering::SeqCst) == 0 { Err(error()) } else { Ok(()) }
    });
    (orders.retries(0, Duration::ZERO).on_failure(OnFailure::Skip), calls)
}

/// How often a handler is given an event whose only failures are skipped.
fn calls_after(error: impl Fn() -> HandlerError + Send + Sync + 'static) -> usize {
    let mut conn = SqliteFile::migrated().connect();
    append_one(&mut conn, &stream("1"));
    let (orders, calls) = failing_once(error);
    orders.catch_up(&mut conn).unwrap();
    calls.load(Ordering::SeqCst)
}

#[test]
fn a_deadlock_is_known_inside_the_error_type_of_the_docs() {
    assert_eq!(calls_after(|| AppError::from(deadlock()).into()), 2);
}

#[test]
fn a_deadlock_is_known_inside_a_report() {
    assert_eq!(calls_after(|| HandlerError::failed(Boxed::from(deadlock()))), 2, "a box");
    assert_eq!(calls_after(|| HandlerError::failed(anyhow::Error::from(deadlock()))), 2, "anyhow");
    assert_eq!(calls_after(|| HandlerError::failed(eyre::Report::from(deadlock()))), 2, "eyre");
    let with_context = || HandlerError::failed(anyhow::Error::from(deadlock()).context("while it was paid"));
    assert_eq!(calls_after(with_context), 2, "anyhow, with context");
    let of_the_store = || HandlerError::failed(anyhow::Error::from(AppendError::from(deadlock())));
    assert_eq!(calls_after(of_the_store), 2, "anyhow, of an append");
}

#[test]
fn other_failures_are_failures_however_they_are_told() {
    assert_eq!(calls_after(|| HandlerError::failed("no such order")), 1);
    assert_eq!(calls_after(|| HandlerError::failed(format!("no order {}", 7))), 1);
    assert_eq!(calls_after(|| HandlerError::failed(anyhow::anyhow!("no such order"))), 1);
    assert_eq!(calls_after(|| HandlerError::failed(DieselError::NotFound)), 1);
}

/// How often a transaction ran that applies the event it has appended, and what the last run said.
fn runs_with(error: impl Fn() -> HandlerError + Send + Sync + 'static) -> (usize, Result<(), Error>) {
    let mut conn = SqliteFile::migrated().connect();
    let (orders, calls) = failing_once(error);
    let outcome = STORE.transaction(&mut conn, |conn| -> Result<(), Error> {
        let appended = STORE.append(conn, &stream("1"), ExpectedVersion::NoStream, &[event()])?;
        Ok(orders.apply_inline(conn, appended.events())?)
    });
    (calls.load(Ordering::SeqCst), outcome)
}

#[test]
fn a_transaction_is_run_again_for_the_handler_of_an_inline_projection() {
    let errors: [(&str, Fails); 5] = [
        ("diesel's", || deadlock().into()),
        ("of a read", || ReadError::from(deadlock()).into()),
        ("the application's", || AppError::from(deadlock()).into()),
        ("a report", || HandlerError::failed(anyhow::Error::from(deadlock()))),
        ("a wish", || HandlerError::retry("the rate is being updated")),
    ];
    for (name, error) in errors {
        let (runs, outcome) = runs_with(error);
        assert_eq!((runs, outcome.is_ok()), (2, true), "{name}: {outcome:?}");
    }
}

#[test]
fn it_is_not_for_other_failures_of_that_handler() {
    let errors: [(&str, Fails, bool); 4] = [
        ("a failure", || HandlerError::failed("no such order"), false),
        ("a stop", || HandlerError::stop(deadlock()), false),
        ("a lost connection", || ReadError::from(lost_connection()).into(), true),
        ("a lost connection as a wish", || HandlerError::retry(lost_connection()), true),
    ];
    for (name, error, is_retryable) in errors {
        let (runs, outcome) = runs_with(error);
        let error = outcome.expect_err(name);
        assert_eq!((runs, error.is_retryable()), (1, is_retryable), "{name}: {error:?}");
    }
}

/// An error of the crate stays what it is.
#[test]
fn what_a_handler_of_an_inline_projection_says_is_kept() {
    let refused = |error: Fails| runs_with(error).1.unwrap_err();
    let invalid = refused(|| Error::from(DieselError::NotFound).into());
    assert!(matches!(&invalid, Error::Database(_)), "{invalid:?}");
    let own = refused(|| AppError::from(DieselError::NotFound).into());
    assert_eq!(own.to_string(), AppError::from(DieselError::NotFound).to_string());
    match own {
        Error::Handler { source, .. } => assert!(source.is::<AppError>()),
        other => panic!("{other:?}"),
    }
}

/// As the docs say it for functions that return `anyhow::Result`.
#[test]
fn an_inline_projection_fits_functions_that_return_a_report() {
    fn apply(conn: &mut SqliteConnection, orders: &Projection<SqliteConnection>) -> anyhow::Result<()> {
        let appended = STORE.append(conn, &stream("1"), ExpectedVersion::Any, &[event()])?;
        Ok(orders.apply_inline(conn, appended.events()).map_err(Error::from)?)
    }
    let (orders, calls) = failing_once(|| HandlerError::failed("no such order"));
    let mut conn = SqliteFile::migrated().connect();
    assert_eq!(apply(&mut conn, &orders).unwrap_err().to_string(), "no such order");
    assert!(apply(&mut conn, &orders).is_ok());
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[test]
fn a_transaction_is_run_again_for_a_projection_that_catches_up_in_it() {
    let errors: [Fails; 2] = [|| deadlock().into(), || HandlerError::retry("busy")];
    for error in errors {
        let mut conn = SqliteFile::migrated().connect();
        append_one(&mut conn, &stream("1"));
        let (orders, calls) = failing_once(error);
        let caught_up = STORE.transaction(&mut conn, |conn| -> Result<(), ProjectionError> {
            orders.catch_up(conn).map(drop)
        });
        assert!(caught_up.is_ok(), "{caught_up:?}");
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }
}

#[test]
fn a_deadlock_is_worth_another_run_in_the_error_of_each_operation() {
    let of: [(&str, Of); 7] = [
        ("ordering", |error| OrderingError::from(error).into()),
        ("migration", |error| MigrationError::from(error).into()),
        ("load", |error| LoadError::from(error).into()),
        ("seal", |error| SealError::from(error).into()),
        ("freeze", |error| FreezeError::from(error).into()),
        ("projection", |error| ProjectionError::from(error).into()),
        ("writer", |error| diesel_event_store::sqlite::WriterError::from(DatabaseError::from(error)).into()),
    ];
    for (name, of) in of {
        let (deadlock, lost) = (of(deadlock()), of(lost_connection()));
        assert!(deadlock.is_retryable() && deadlock.may_run_again(), "{name}: {deadlock:?}");
        assert!(lost.is_retryable() && !lost.may_run_again(), "{name}: {lost:?}");
    }
}
