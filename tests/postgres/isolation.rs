//! Transactions that see the database as it was when they began.

use diesel::connection::AnsiTransactionManager;
use diesel::prelude::*;
use diesel_event_store::{
    DatabaseErrorKind, Error, EventStore, ExpectedVersion, LogOrdering, NewEvent, Position, StreamId,
    run_pending_migrations,
};
use test_support::witness::{Tail, append_one, begin, commit, is_not_published, kind, roll_back};
use test_support::{self, Postgres, TestDatabase};

const STORE: EventStore = EventStore::new();
const LEVELS: [&str; 2] = ["REPEATABLE READ", "SERIALIZABLE"];

fn begin_in(level: &str, conn: &mut PgConnection) -> test_support::Result {
    Ok(AnsiTransactionManager::begin_transaction_sql(conn, &format!("BEGIN ISOLATION LEVEL {level}"))?)
}

#[test]
fn the_log_is_not_read_until_a_position_is_published() -> test_support::Result {
    for level in LEVELS {
        let database = Postgres::migrated()?;
        let mut conn = database.connect()?;
        append_one(&mut conn, "Unpublished")?;
        begin_in(level, &mut conn)?;
        let refused = STORE.read_forward(&mut conn, Position::START, 10).expect_err("it cannot be read");
        assert!(is_not_published(&refused.into()));
        let refused = STORE.last_position(&mut conn).expect_err("it cannot be found out");
        assert!(is_not_published(&Error::from(refused)));
        append_one(&mut conn, "In the same transaction")?;
        commit(&mut conn)?;
        assert_eq!(Tail::new(conn).news()?, ["Unpublished", "In the same transaction"]);
    }
    Ok(())
}

#[test]
fn the_log_is_read_up_to_the_position_that_was_published() -> test_support::Result {
    for level in LEVELS {
        let database = Postgres::migrated()?;
        let mut reader = Tail::new(database.connect()?);
        let (mut slow, mut fast) = (database.connect()?, database.connect()?);
        append_one(&mut fast, "Before")?;
        begin(&mut slow)?;
        append_one(&mut slow, "Early")?;
        append_one(&mut fast, "Late")?;
        STORE.publish_position(&mut fast)?;

        begin_in(level, &mut reader.conn)?;
        assert_eq!(reader.news()?, ["Before"]);
        commit(&mut slow)?;
        STORE.publish_position(&mut fast)?;
        assert!(reader.news()?.is_empty(), "it sees the database as it was");
        commit(&mut reader.conn)?;

        begin_in(level, &mut reader.conn)?;
        assert_eq!(reader.news()?, ["Early", "Late"]);
        assert_eq!(reader.newest()?.as_deref(), Some("Late"));
        commit(&mut reader.conn)?;
    }
    Ok(())
}

#[test]
fn what_is_published_in_a_transaction_counts_once_that_is_committed() -> test_support::Result {
    let database = Postgres::migrated()?;
    let (mut publisher, mut reader) = (database.connect()?, Tail::new(database.connect()?));
    append_one(&mut publisher, "Before")?;
    STORE.publish_position(&mut publisher)?;
    begin(&mut publisher)?;
    append_one(&mut publisher, "Own")?;
    STORE.publish_position(&mut publisher)?;
    commit(&mut publisher)?;
    begin_in("REPEATABLE READ", &mut reader.conn)?;
    assert_eq!(reader.news()?, ["Before"]);
    commit(&mut reader.conn)
}

#[test]
fn positions_that_are_counted_need_not_be_published() -> test_support::Result {
    for level in LEVELS {
        let database = Postgres::migrated()?;
        let (mut conn, mut reader) = (database.connect()?, Tail::new(database.connect()?));
        STORE.set_log_ordering(&mut conn, LogOrdering::Gapless)?;
        append_one(&mut conn, "Before")?;
        begin_in(level, &mut reader.conn)?;
        assert_eq!(reader.news()?, ["Before"]);
        append_one(&mut conn, "Meanwhile")?;
        assert!(reader.news()?.is_empty());
        commit(&mut reader.conn)?;
        assert_eq!(reader.news()?, ["Meanwhile"]);
    }
    Ok(())
}

#[test]
fn appenders_in_any_isolation_level_are_waited_for() -> test_support::Result {
    for level in LEVELS {
        let database = Postgres::migrated()?;
        let mut reader = Tail::new(database.connect()?);
        let (mut slow, mut fast) = (database.connect()?, database.connect()?);
        begin_in(level, &mut slow)?;
        test_support::count(&mut slow, "events")?;
        append_one(&mut fast, "Before")?;
        append_one(&mut slow, "Early")?;
        append_one(&mut fast, "Late")?;
        assert_eq!(reader.news()?, ["Before"]);
        commit(&mut slow)?;
        assert_eq!(reader.news()?, ["Early", "Late"]);
    }
    Ok(())
}

#[test]
fn appends_to_several_streams_do_not_fail_each_other() -> test_support::Result {
    for level in LEVELS {
        let database = Postgres::migrated()?;
        let (mut first, mut second) = (database.connect()?, database.connect()?);
        for conn in [&mut first, &mut second] {
            // The first append of a session looks for the last event, and so for all that are appended.
            begin_in(level, conn)?;
            append_one(conn, &format!("before {level}")).or_else(|_| append_one(conn, "also before"))?;
            commit(conn)?;
        }
        begin_in(level, &mut first)?;
        begin_in(level, &mut second)?;
        append_one(&mut first, "of the first")?;
        append_one(&mut second, "of the second")?;
        commit(&mut first)?;
        commit(&mut second)?;
    }
    Ok(())
}

/// The first to commit wins. The other must begin again, and then gets through.
#[test]
fn an_append_behind_the_transactions_back_is_retryable() -> test_support::Result {
    for level in LEVELS {
        let database = Postgres::migrated()?;
        let (mut slow, mut fast) = (database.connect()?, database.connect()?);
        let shared = StreamId::new("Shared", 1)?;
        let event = || NewEvent::new("Appended", &());
        STORE.append(&mut fast, &shared, ExpectedVersion::Any, &[event()?])?;
        let mut read_and_append = |meanwhile: bool| -> test_support::Result<_> {
            begin_in(level, &mut slow)?;
            let version = STORE.version(&mut slow, &shared)?;
            if meanwhile {
                STORE.append(&mut fast, &shared, ExpectedVersion::Any, &[event()?])?;
            }
            let appended = STORE.append(&mut slow, &shared, ExpectedVersion::Exact(version), &[event()?]);
            if appended.is_ok() {
                commit(&mut slow)?
            } else {
                roll_back(&mut slow)?
            }
            Ok(appended)
        };
        let error = Error::from(read_and_append(true)?.expect_err("somebody was faster"));
        assert_eq!(kind(&error), Some(DatabaseErrorKind::Deadlock), "{error}");
        assert!(error.is_retryable());
        assert_eq!(read_and_append(false)??.version(), 3);
    }
    Ok(())
}

/// What another connection applies meanwhile is not seen, and would be taken for the application's own.
#[test]
fn migrations_are_not_applied_in_an_old_snapshot() -> test_support::Result {
    for level in LEVELS {
        let database = Postgres::create()?;
        let mut conn = database.connect()?;
        begin_in(level, &mut conn)?;
        test_support::count(&mut conn, "pg_class")?;
        run_pending_migrations(&mut database.connect()?)?;
        let refused = Error::from(run_pending_migrations(&mut conn).expect_err("it does not see them"));
        assert_eq!(kind(&refused), Some(DatabaseErrorKind::UnsuitableSetting), "{refused}");
        roll_back(&mut conn)?;
        assert!(run_pending_migrations(&mut conn)?.is_empty());
        begin_in(level, &mut conn)?;
        assert!(run_pending_migrations(&mut conn)?.is_empty());
        roll_back(&mut conn)?;
    }
    Ok(())
}
