//! A node says only once that it has rolled a transaction back for the sake of another node's.

use std::slice;

use diesel::connection::{Connection, InstrumentationEvent};
use diesel::mysql::MysqlConnection;
use diesel::result::Error::RollbackTransaction;
use diesel_event_store::{
    AppendBatch, AppendError, Error, ExpectedVersion, NewEvent, StreamId, write_transaction,
};
use test_support::{Result, app_rows, changed, create_app_rows, execute, insert_app_row, user};

use super::cluster::{Cluster, STORE};

/// By looking up where the event is recorded.
#[test]
fn a_duplicate_id_does_not_hide_it() -> Result {
    duplicate_hides_nothing(|conn, stream, event| {
        STORE.append(conn, stream, ExpectedVersion::Any, slice::from_ref(event)).map(drop)
    })
}

#[test]
fn a_duplicate_id_of_a_batch_does_not_hide_it() -> Result {
    duplicate_hides_nothing(|conn, stream, event| {
        let batch = AppendBatch::new().append(stream, ExpectedVersion::Any, [event.clone()]);
        STORE.append_batch(conn, &batch).map(drop)
    })
}

/// The application takes a duplicate id for a repeated request, and goes on.
fn duplicate_hides_nothing(
    append: impl Fn(&mut MysqlConnection, &StreamId, &NewEvent) -> Result<(), AppendError>,
) -> Result {
    let (cluster, mut conn) = application()?;
    let (stream, event) = (user("alice")?, NewEvent::new("Counted", &1)?);
    append(&mut conn, &stream, &event)?;
    let is_look_up = |event: &InstrumentationEvent<'_>| match event {
        InstrumentationEvent::StartQuery { query, .. } => query.to_string().contains("`event_id` = ?"),
        _ => false,
    };
    is_told(&cluster, conn, is_look_up, |conn| match append(conn, &stream, &event) {
        Err(AppendError::DuplicateEventId { .. }) => Ok(()),
        other => Ok(other?),
    })
}

/// A nested transaction looks whether the one around is still there, as it begins and when it is rolled back.
#[test]
fn what_comes_after_the_look_of_a_rollback_does_not_hide_it() -> Result {
    let (cluster, conn) = application()?;
    let mut looks = 0;
    let is_after_the_looks = move |event: &InstrumentationEvent<'_>| match event {
        InstrumentationEvent::FinishQuery { query, .. } => {
            looks += i32::from(query.to_string().ends_with("RELEASE SAVEPOINT diesel_event_store"));
            false
        }
        InstrumentationEvent::StartQuery { .. } => looks == 2,
        _ => false,
    };
    is_told(&cluster, conn, is_after_the_looks, |conn| {
        let undone = write_transaction(conn, |_| Err::<(), _>(Error::from(RollbackTransaction)));
        assert!(undone.is_err());
        Ok(())
    })
}

/// With a row that all nodes share.
fn application() -> Result<(Cluster, MysqlConnection)> {
    let cluster = Cluster::migrated()?;
    let mut conn = cluster.connect(0)?;
    create_app_rows(&mut conn)?;
    insert_app_row(&mut conn, "shared")?;
    Ok((cluster, conn))
}

/// Another node is faster, when it is time for that, in a transaction of the application's that would go on.
fn is_told(
    cluster: &Cluster,
    mut conn: MysqlConnection,
    mut is_time: impl FnMut(&InstrumentationEvent<'_>) -> bool + Send + 'static,
    work: impl FnOnce(&mut MysqlConnection) -> Result<(), Error>,
) -> Result {
    let (mut observer, mut other) = (cluster.connect(0)?, Some(cluster.connect(1)?));
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if is_time(&event)
            && let Some(mut other) = other.take()
        {
            execute(&mut other, "UPDATE app_rows SET name = 'theirs'").expect("nobody is in its way");
            assert_eq!(app_rows(&mut observer).expect("the row"), ["theirs"]);
        }
    });
    let outcome = write_transaction(&mut conn, |conn| -> Result<(), Error> {
        changed(conn, "UPDATE app_rows SET name = 'ours'")?;
        work(conn)?;
        Ok(insert_app_row(conn, "alone")?)
    });
    assert_eq!(app_rows(&mut cluster.connect(0)?)?, ["theirs"]);
    assert!(outcome.expect_err("the other is faster").is_retryable());
    Ok(())
}
