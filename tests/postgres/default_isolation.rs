//! Databases whose default isolation is above READ COMMITTED. What runs alone is not held up by that.

use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::prelude::*;
use diesel_event_store::projection::Projection;
use diesel_event_store::{
    AppendBatch, DatabaseErrorKind, Error, EventStore, ExpectedVersion, LogOrdering, NewEvent, Position,
    StreamId, run_pending_migrations,
};
use test_support::counter::{count_by, counter};
use test_support::witness::{Tail, append_one, begin, commit, is_not_published, kind, roll_back};
use test_support::{self, Postgres, TestDatabase, at_once};

const STORE: EventStore = EventStore::new();

/// A database for each of the levels, with tables.
fn databases() -> test_support::Result<Vec<Postgres>> {
    ["repeatable read", "serializable"]
        .into_iter()
        .map(|level| {
            let database = Postgres::create()?;
            let mut conn = database.connect()?;
            conn.batch_execute(&format!(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = %L', \
                 current_database(), '{level}'); END $$"
            ))?;
            run_pending_migrations(&mut database.connect()?)?;
            Ok(database)
        })
        .collect()
}

#[test]
fn the_log_is_read_and_published_outside_of_transactions() -> test_support::Result {
    for database in databases()? {
        let (mut slow, mut fast) = (database.connect()?, database.connect()?);
        let mut reader = Tail::new(database.connect()?);
        append_one(&mut fast, "Before")?;
        assert_eq!(reader.news()?, ["Before"]);
        // In SERIALIZABLE one of two that append at the same time would have to begin again.
        AnsiTransactionManager::begin_transaction_sql(&mut slow, "BEGIN ISOLATION LEVEL READ COMMITTED")?;
        append_one(&mut slow, "Early")?;
        append_one(&mut fast, "Late")?;
        assert!(reader.news()?.is_empty(), "an append that is under way is waited for");
        assert_eq!(STORE.publish_position(&mut fast)?.get(), 1);
        commit(&mut slow)?;
        assert_eq!(reader.news()?, ["Early", "Late"]);
        assert_eq!(reader.newest()?.as_deref(), Some("Late"));
        assert_eq!(STORE.publish_position(&mut fast)?.get(), 3);
    }
    Ok(())
}

/// diesel knows nothing of the transaction, and what is read in it is as old as its snapshot.
#[test]
fn in_a_transaction_that_was_begun_with_sql_it_is_read_as_far_as_it_is_published() -> test_support::Result {
    for database in databases()? {
        let mut conn = database.connect()?;
        append_one(&mut conn, "First")?;
        conn.batch_execute("BEGIN; SELECT count(*) FROM events")?;
        append_one(&mut database.connect()?, "Second")?;
        let refused = Error::from(STORE.read_forward(&mut conn, Position::START, 10).unwrap_err());
        assert!(is_not_published(&refused), "{refused}");
        assert!(refused.to_string().contains("publish_position"), "{refused}");
        conn.batch_execute("COMMIT")?;
        STORE.publish_position(&mut conn)?;
        conn.batch_execute("BEGIN")?;
        append_one(&mut database.connect()?, "Third")?;
        assert_eq!(STORE.read_forward(&mut conn, Position::START, 10)?.len(), 2);
        conn.batch_execute("COMMIT")?;
        assert_eq!(Tail::new(conn).news()?, ["First", "Second", "Third"]);
    }
    Ok(())
}

/// `Any` never fails for a version.
#[test]
fn appends_to_one_stream_do_not_fail_each_other() -> test_support::Result {
    for database in databases()? {
        let mut conns = (0..4).map(|_| database.connect()).collect::<test_support::Result<Vec<_>>>()?;
        let shared = StreamId::new("Shared", 1)?;
        let outcomes = at_once(&mut conns, |_, conn| -> Result<(), Error> {
            for _ in 0..250 {
                let event = NewEvent::new("Appended", &())?;
                STORE.append(conn, &shared, ExpectedVersion::Any, &[event])?;
            }
            Ok(())
        });
        for outcome in outcomes {
            outcome?;
        }
        assert_eq!(STORE.version(&mut conns[0], &shared)?, 1000);
    }
    Ok(())
}

#[test]
fn a_request_that_is_repeated_at_the_same_moment_is_carried_out_once() -> test_support::Result {
    for database in databases()? {
        let mut conns = (0..8).map(|_| database.connect()).collect::<test_support::Result<Vec<_>>>()?;
        let (shared, request) = (StreamId::new("Shared", 1)?, counter("shared").idempotency_key("command"));
        let outcomes = at_once(&mut conns, |_, conn| -> Result<_, Error> {
            let event = NewEvent::new("Appended", &())?;
            let batch = AppendBatch::new().append(&shared, ExpectedVersion::Any, [event]);
            let batch = STORE.append_batch(conn, &batch.idempotency_key("batch"))?;
            Ok((batch.is_repeat(), count_by(&request, conn)?.is_repeat))
        });
        let repeats = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
        assert_eq!(repeats.iter().filter(|(batch, _)| !batch).count(), 1);
        assert_eq!(repeats.iter().filter(|(_, command)| !command).count(), 1);
        assert_eq!(test_support::count(&mut conns[0], "events")?, 2);
    }
    Ok(())
}

#[test]
fn many_may_start_at_once() -> test_support::Result {
    for database in databases()? {
        let mut conn = database.connect()?;
        conn.batch_execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")?;
        let mut conns = (0..6).map(|_| database.connect()).collect::<test_support::Result<Vec<_>>>()?;
        let applied = at_once(&mut conns, |_, conn| run_pending_migrations(conn));
        let applied = applied.into_iter().collect::<Result<Vec<_>, _>>()?;
        assert_eq!(applied.concat(), ["00000000000100des"]);
    }
    Ok(())
}

#[test]
fn the_ordering_is_changed_and_the_store_repaired() -> test_support::Result {
    for database in databases()? {
        let mut conn = database.connect()?;
        append_one(&mut conn, "Fenced")?;
        STORE.set_log_ordering(&mut conn, LogOrdering::Gapless)?;
        append_one(&mut conn, "Gapless")?;
        conn.batch_execute("DELETE FROM aggregate_heads")?;
        assert_eq!(STORE.repair(&mut conn)?.heads(), 2);
        begin(&mut conn)?;
        let refused = STORE.repair(&mut conn).unwrap_err();
        assert!(refused.to_string().contains("READ COMMITTED"), "{refused}");
        roll_back(&mut conn)?;
        assert!(STORE.repair(&mut conn)?.is_nothing());
    }
    Ok(())
}

#[test]
fn projections_are_applied() -> test_support::Result {
    for database in databases()? {
        let mut conn = database.connect()?;
        append_one(&mut conn, "First")?;
        append_one(&mut conn, "Second")?;
        let counted = Projection::new("counted", 1, |_conn: &mut PgConnection, _event| Ok(()));
        assert_eq!(counted.catch_up(&mut conn)?.applied(), 2);
        append_one(&mut conn, "Third")?;
        assert_eq!(counted.catch_up(&mut conn)?.applied(), 1);
    }
    Ok(())
}

/// In a transaction of the application only the application can run it again.
#[test]
fn a_lost_race_in_a_transaction_begun_with_sql_is_reported_as_such() -> test_support::Result {
    for database in databases()? {
        let (mut conn, mut other) = (database.connect()?, database.connect()?);
        let shared = StreamId::new("Shared", 1)?;
        let append = |conn: &mut PgConnection| {
            let event = NewEvent::new("Appended", &()).expect("it is an event");
            STORE.append(conn, &shared, ExpectedVersion::Any, &[event])
        };
        append(&mut other)?;
        conn.batch_execute("BEGIN; SELECT count(*) FROM events")?;
        append(&mut other)?;
        let refused = Error::from(append(&mut conn).unwrap_err());
        assert_eq!(kind(&refused), Some(DatabaseErrorKind::Deadlock), "{refused}");
        conn.batch_execute("ROLLBACK")?;
        assert_eq!(append(&mut conn)?.version(), 3);
    }
    Ok(())
}
