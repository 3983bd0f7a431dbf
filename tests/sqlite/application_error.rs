//! An application's own error type, made from `diesel_event_store::Error`, and `?` on every operation.

use std::convert::Infallible;
use std::time::Duration;

use diesel::prelude::*;
use diesel_event_store::projection::{self, HandlerError, Projection};
use diesel_event_store::sqlite::{Options, WriteError, Writer, WriterError};
use diesel_event_store::{
    DecodeError, Error, ExpectedVersion, LogOrdering, NewEvent, Position, RecordedEvent, StreamId,
    run_pending_migrations, write_transaction,
};
use test_support::counter::{Counted, counter};
use test_support::sqlite_file::SqliteFile;

use super::database::{STORE, event, stream};

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Store(#[from] diesel_event_store::Error),
    #[error("{0}")]
    Database(#[from] diesel::result::Error),
}

diesel_event_store::from_store_errors!(AppError);

fn store_error(outcome: Result<(), AppError>) -> Error {
    match outcome.unwrap_err() {
        AppError::Store(error) => error,
        AppError::Database(error) => panic!("{error}"),
    }
}

#[test]
fn every_operation_ends_in_the_applications_error() {
    fn everything(database: &SqliteFile) -> Result<(), AppError> {
        let mut conn = database.connect_plainly();
        Options::default().apply(&mut conn)?;
        run_pending_migrations(&mut conn)?;
        let order = StreamId::new("Order", 1)?;
        let paid = NewEvent::new("Paid", &7)?;
        write_transaction(&mut conn, |conn| -> Result<(), AppError> {
            STORE.append(conn, &order, ExpectedVersion::NoStream, &[paid])?;
            Ok(())
        })?;
        let read = STORE.read_stream(&mut conn, &order, ..)?;
        assert_eq!(read.events()[0].payload::<i32>()?, 7);
        STORE.save_checkpoint(&mut conn, "invoices", Position::new(1)?)?;
        STORE.log_ordering(&mut conn)?;
        Projection::new("totals", 1, handle).catch_up(&mut conn)?;
        // Its commands are never rejected.
        counter("1").update(&mut conn, |_| Ok::<_, Infallible>(vec![Counted]))?;
        projection::status(&mut conn)?;
        let writer = Writer::new(conn)?;
        writer.append(&order, ExpectedVersion::Exact(1), [NewEvent::new("Sent", &())?]).wait()?;
        writer.drain().wait()?;
        Ok(())
    }

    fn handle(_: &mut SqliteConnection, _: &RecordedEvent) -> Result<(), HandlerError> {
        Ok(())
    }

    everything(&SqliteFile::absent()).unwrap();
}

#[test]
fn it_keeps_which_operation_has_failed() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    let append = |conn: &mut SqliteConnection, expected| -> Result<(), AppError> {
        STORE.append(conn, &stream("1"), expected, &[event()])?;
        Ok(())
    };
    append(&mut conn, ExpectedVersion::NoStream).unwrap();
    let conflict = store_error(append(&mut conn, ExpectedVersion::NoStream));
    assert_eq!(conflict.conflict().unwrap().actual, 1);

    let read = STORE.read_forward(&mut conn, Position::START, 0);
    assert!(matches!(store_error(read.map(drop).map_err(AppError::from)), Error::Read(_)));
    let save = STORE.save_checkpoint(&mut conn, "", Position::START);
    assert!(matches!(store_error(save.map_err(AppError::from)), Error::Checkpoint(_)));
    let order = STORE.set_log_ordering(&mut conn, LogOrdering::Fenced);
    assert!(matches!(store_error(order.map_err(AppError::from)), Error::Ordering(_)));
    let decode: Result<Vec<i64>, DecodeError> =
        STORE.read_stream(&mut conn, &stream("1"), ..).unwrap().events()[0].payload();
    assert!(matches!(store_error(decode.map(drop).map_err(AppError::from)), Error::Decode(_)));
    let closed = WriteError::from(WriterError::Closed);
    assert!(matches!(store_error(Err(closed.into())), Error::Writer(WriterError::Closed)));
    let month = Options::default().busy_timeout(Duration::from_secs(30 * 24 * 60 * 60)).apply(&mut conn);
    assert!(matches!(store_error(month.map_err(AppError::from)), Error::Invalid(_)));
}
