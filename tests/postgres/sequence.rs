//! The sequence that positions come from: whichever belongs to the column.

use diesel::connection::SimpleConnection;
use diesel_event_store::{
    DatabaseErrorKind, Error, EventStore, MigrationError, Position, run_pending_migrations,
};
use test_support::witness::{Tail, append_one, begin, commit, kind};
use test_support::{self, Postgres, TestDatabase};

const STORE: EventStore = EventStore::new();

/// As many a store of an application's own has it. What belongs to it keeps its name when the table is
/// renamed.
const OLD: &str = "CREATE TABLE events (global_position BIGSERIAL PRIMARY KEY, aggregate_type TEXT NOT NULL, \
                   aggregate_id TEXT NOT NULL, aggregate_version BIGINT NOT NULL, event_id UUID NOT NULL UNIQUE, \
                   correlation_id TEXT, \
                   CONSTRAINT events_stream_key UNIQUE (aggregate_type, aggregate_id, aggregate_version)); \
                   CREATE INDEX events_correlation_id ON events (correlation_id); \
                   CREATE INDEX events_correlation_id_idx ON events (correlation_id)";

#[test]
fn a_table_that_was_renamed_keeps_its_own_and_can_be_dropped_later() -> test_support::Result {
    let database = Postgres::create()?;
    let mut conn = database.connect()?;
    conn.batch_execute(OLD)?;
    let refused = run_pending_migrations(&mut conn).unwrap_err();
    assert!(matches!(&refused, MigrationError::TableExists { table, .. } if table == "events"), "{refused}");
    conn.batch_execute("ALTER TABLE events RENAME TO old_events")?;
    run_pending_migrations(&mut conn)?;
    let mut reader = Tail::new(database.connect()?);
    append_one(&mut conn, "First")?;
    append_one(&mut conn, "First").expect_err("its stream is there");
    conn.batch_execute(
        "INSERT INTO old_events (aggregate_type, aggregate_id, aggregate_version, event_id) \
         VALUES ('Old', '1', 1, gen_random_uuid())",
    )?;
    conn.batch_execute("DROP TABLE old_events")?;
    append_one(&mut conn, "Second")?;
    assert_eq!(reader.news()?, ["First", "Second"]);
    assert_eq!(STORE.last_position(&mut conn)?.get(), 2, "positions come from a sequence of its own");
    Ok(())
}

#[test]
fn it_may_be_renamed_and_its_schema_too() -> test_support::Result {
    let database = Postgres::create()?;
    let mut conn = database.connect()?;
    conn.batch_execute("CREATE SCHEMA shop; SET search_path TO shop")?;
    run_pending_migrations(&mut conn)?;
    append_one(&mut conn, "First")?;
    conn.batch_execute("ALTER SEQUENCE events_global_position_seq RENAME TO \"Positions\"")?;
    append_one(&mut conn, "Second")?;
    conn.batch_execute("ALTER SCHEMA shop RENAME TO store; SET search_path TO store")?;
    append_one(&mut conn, "Third")?;
    assert_eq!(Tail::new(conn).news()?, ["First", "Second", "Third"]);
    Ok(())
}

/// A cache is kept by each connection for itself: positions would be given out in any order. And a sequence may
/// come to its end.
#[test]
fn one_that_does_not_count_by_one_is_refused_until_the_repair() -> test_support::Result {
    for change in ["CACHE 20", "INCREMENT 2", "INCREMENT -1", "CYCLE", "MAXVALUE 2", "AS SMALLINT MAXVALUE 2"]
    {
        let database = Postgres::migrated()?;
        let mut conn = database.connect()?;
        append_one(&mut conn, "Before")?;
        STORE.last_position(&mut conn)?;
        let mut dba = database.connect()?;
        dba.batch_execute(&format!("ALTER SEQUENCE events_global_position_seq {change}"))?;

        let append = append_one(&mut conn, "Refused").expect_err("its position could be passed already");
        let read = Error::from(STORE.last_position(&mut conn).expect_err("events could be missed"));
        for refused in [append, read] {
            assert_eq!(kind(&refused), Some(DatabaseErrorKind::NeedsRepair), "{change}: {refused}");
            assert!(refused.to_string().contains("ALTER SEQUENCE"), "{change}: {refused}");
        }
        assert_eq!(STORE.repair(&mut dba)?.counted(), Some(Position::new(1)?), "{change}");
        append_one(&mut conn, "After")?;
        assert_eq!(STORE.last_position(&mut conn)?.get(), 2, "{change}");
        assert!(STORE.repair(&mut dba)?.is_nothing(), "{change}");
    }
    Ok(())
}

/// An append assigns positions itself.
#[test]
fn one_that_alone_may_assign_positions_is_set_right_by_the_repair() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    append_one(&mut conn, "Before")?;
    conn.batch_execute("ALTER TABLE events ALTER global_position SET GENERATED ALWAYS")?;
    let refused = append_one(&mut conn, "Refused").expect_err("it may not assign a position");
    assert_eq!(kind(&refused), Some(DatabaseErrorKind::NeedsRepair), "{refused}");
    assert!(!STORE.repair(&mut conn)?.is_nothing());
    append_one(&mut conn, "After")?;
    assert!(STORE.repair(&mut conn)?.is_nothing());
    assert_eq!(Tail::new(conn).news()?, ["Before", "After"]);
    Ok(())
}

#[test]
fn one_at_its_end_is_told_as_full() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    conn.batch_execute("SELECT setval('events_global_position_seq', 281474976710655)")?;
    let refused = append_one(&mut conn, "Refused").expect_err("there is no position left");
    assert_eq!(kind(&refused), Some(DatabaseErrorKind::Full), "{refused}");
    Ok(())
}

#[test]
fn one_that_is_gone_is_made_anew_by_the_repair() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    append_one(&mut conn, "Before")?;
    conn.batch_execute("ALTER TABLE events ALTER global_position DROP IDENTITY")?;
    let refused = append_one(&mut conn, "Refused").expect_err("there is no position");
    assert_eq!(kind(&refused), Some(DatabaseErrorKind::NeedsRepair), "{refused}");
    STORE.repair(&mut conn)?;
    append_one(&mut conn, "After")?;
    assert_eq!(Tail::new(conn).news()?, ["Before", "After"]);
    Ok(())
}

/// Whoever has a number has not committed yet: with the sequence set from what is visible, it would be given
/// again.
#[test]
fn the_repair_waits_for_appends_under_way() -> test_support::Result {
    let database = Postgres::migrated()?;
    let (mut slow, mut conn) = (database.connect()?, database.connect()?);
    append_one(&mut conn, "Before")?;
    begin(&mut slow)?;
    append_one(&mut slow, "Slow")?;
    conn.batch_execute("SET lock_timeout = '50ms'")?;
    let waited = Error::from(STORE.repair(&mut conn).expect_err("it must wait"));
    assert_eq!(kind(&waited), Some(DatabaseErrorKind::Locked), "{waited}");
    commit(&mut slow)?;
    assert!(STORE.repair(&mut conn)?.is_nothing());
    Ok(())
}

#[test]
fn a_position_that_was_published_beyond_the_log_is_taken_back_by_the_repair() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    append_one(&mut conn, "Last")?;
    conn.batch_execute("UPDATE event_log SET published_position = 100")?;
    assert_eq!(STORE.repair(&mut conn)?.published(), Some(Position::new(1)?));
    assert!(STORE.repair(&mut conn)?.is_nothing());
    Ok(())
}
