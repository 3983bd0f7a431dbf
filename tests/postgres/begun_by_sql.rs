//! A transaction that was begun with SQL is the application's. What needs one of its own refuses to run in
//! it, and leaves it as it is.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::projection::{self, Projection, ProjectionError};
use diesel_event_store::{
    AppendBatch, DatabaseErrorKind, Error, EventStore, ExpectedVersion, InvalidInput, LogOrdering, NewEvent,
    Position, StreamId, run_pending_migrations, write_transaction,
};
use test_support::witness::{append_one, kind};
use test_support::{self, Postgres, TestDatabase, app_rows, create_app_rows, insert_app_row};

const STORE: EventStore = EventStore::new();

type Operation = fn(&mut PgConnection) -> Result<(), Error>;

fn nothing() -> Projection<PgConnection> {
    Projection::new("nothing", 1, |_conn: &mut PgConnection, _event| Ok(()))
}

fn batch() -> Result<AppendBatch, InvalidInput> {
    let stream = StreamId::new("Stream", 1)?;
    Ok(AppendBatch::new().append(&stream, ExpectedVersion::Any, [NewEvent::new("Appended", &())?]))
}

#[cfg(feature = "transfer")]
fn export(conn: &mut PgConnection) -> Result<(), Error> {
    use diesel_event_store::transfer::{self, ExportError};
    match transfer::export(conn, Vec::new()) {
        Err(ExportError::Database(error)) => Err(error.into()),
        outcome => Ok(outcome.map(drop)?),
    }
}

const OPERATIONS: &[(&str, Operation)] = &[
    ("run_pending_migrations", |conn| Ok(run_pending_migrations(conn).map(drop)?)),
    ("set_log_ordering", |conn| Ok(STORE.set_log_ordering(conn, LogOrdering::Gapless)?)),
    ("set_append_notifications", |conn| {
        Ok(diesel_event_store::postgres::set_append_notifications(conn, true)?)
    }),
    ("repair", |conn| Ok(STORE.repair(conn).map(drop)?)),
    ("append_batch", |conn| Ok(STORE.append_batch(conn, &batch()?).map(drop)?)),
    ("append_batch with a key", |conn| {
        Ok(STORE.append_batch(conn, &batch()?.idempotency_key("k")).map(drop)?)
    }),
    ("catch_up", |conn| Ok(nothing().catch_up(conn).map(drop)?)),
    ("catch_up of a new one", |conn| {
        let new = Projection::new("new", 1, |_conn: &mut PgConnection, _event| Ok(()));
        Ok(new.catch_up(conn).map(drop)?)
    }),
    ("reset", |conn| Ok(projection::reset(conn, ("nothing", 1), |_| Ok::<_, ProjectionError>(()))?)),
    ("promote", |conn| Ok(projection::promote(conn, ("nothing", 1), |_| Ok::<_, ProjectionError>(()))?)),
    ("write_transaction", |conn| write_transaction(conn, |conn| append_one(conn, "Written"))),
    ("write_transaction that rolls back", |conn| {
        match write_transaction(conn, |_| Err::<(), _>(Error::from(diesel::result::Error::NotFound))) {
            Err(Error::Database(error)) if *error.diesel_error() == diesel::result::Error::NotFound => Ok(()),
            outcome => outcome,
        }
    }),
    ("transaction", |conn| STORE.transaction(conn, |conn| append_one(conn, "Written"))),
    #[cfg(feature = "transfer")]
    ("export", export),
    ("repartition", |conn| Ok(projection::repartition(conn, ("nothing", 1), 2)?)),
];

#[test]
fn it_is_refused_and_stays_the_applications() -> test_support::Result {
    for &(name, operation) in OPERATIONS {
        for (first_statement, end, rows) in [
            ("INSERT INTO app_rows VALUES ('first')", "COMMIT", 2),
            ("INSERT INTO app_rows VALUES ('first')", "ROLLBACK", 0),
            ("SELECT 1", "COMMIT", 1),
            ("SELECT 1", "ROLLBACK", 0),
        ] {
            let database = Postgres::migrated()?;
            let (mut conn, mut other) = (database.connect()?, database.connect()?);
            create_app_rows(&mut conn)?;
            append_one(&mut conn, "There")?;
            nothing().catch_up(&mut conn)?;

            conn.batch_execute("BEGIN")?;
            conn.batch_execute(first_statement)?;
            let refused = operation(&mut conn).expect_err(name);
            assert_eq!(kind(&refused), Some(DatabaseErrorKind::ForeignTransaction), "{name}: {refused}");
            insert_app_row(&mut conn, "second")?;
            assert!(app_rows(&mut other)?.is_empty(), "{name}: the transaction is still open");
            conn.batch_execute(end)?;
            assert_eq!(app_rows(&mut other)?.len(), rows, "{name}, {first_statement}, {end}");
            operation(&mut conn)?;
        }
    }
    Ok(())
}

/// Right after BEGIN, before PostgreSQL has anything to show for it.
#[test]
fn it_is_refused_before_its_first_statement() -> test_support::Result {
    let database = Postgres::migrated()?;
    let (mut conn, mut other) = (database.connect()?, database.connect()?);
    create_app_rows(&mut conn)?;
    conn.batch_execute("BEGIN")?;
    let refused = Error::from(STORE.repair(&mut conn).unwrap_err());
    assert_eq!(kind(&refused), Some(DatabaseErrorKind::ForeignTransaction), "{refused}");
    insert_app_row(&mut conn, "row")?;
    assert!(app_rows(&mut other)?.is_empty());
    conn.batch_execute("ROLLBACK")?;
    assert!(app_rows(&mut other)?.is_empty());
    Ok(())
}

/// An append is one statement, and the log is read as in any transaction in READ COMMITTED.
#[test]
fn appends_and_reads_join_it() -> test_support::Result {
    let database = Postgres::migrated()?;
    let (mut conn, mut other) = (database.connect()?, database.connect()?);
    append_one(&mut other, "Before")?;
    conn.batch_execute("BEGIN")?;
    append_one(&mut conn, "Joined")?;
    assert_eq!(STORE.read_forward(&mut conn, Position::START, 10)?.len(), 1);
    append_one(&mut other, "Behind")?;
    assert_eq!(STORE.read_forward(&mut other, Position::START, 10)?.len(), 1, "it is waited for");
    conn.batch_execute("COMMIT")?;
    assert_eq!(STORE.read_forward(&mut other, Position::START, 10)?.len(), 3);
    Ok(())
}

/// In one that an error has aborted, PostgreSQL answers no question.
#[test]
fn a_write_transaction_in_an_aborted_one_is_refused() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    conn.batch_execute("BEGIN")?;
    conn.batch_execute("SELECT 1/0").expect_err("that is no number");
    let refused = write_transaction(&mut conn, |conn| append_one(conn, "Written")).unwrap_err();
    assert_eq!(
        DatabaseErrorKind::behind(&refused),
        Some(DatabaseErrorKind::ForeignTransaction),
        "{refused:?}"
    );
    conn.batch_execute("ROLLBACK")?;
    append_one(&mut conn, "After")?;
    Ok(())
}

#[test]
fn a_write_transaction_can_still_choose_its_isolation_level() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    write_transaction(&mut conn, |conn| -> test_support::Result {
        conn.batch_execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")?;
        append_one(conn, "Written")?;
        Ok(())
    })
}
