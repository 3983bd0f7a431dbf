//! For whom readers wait: for transactions that have appended, and only with what lies behind them.

use diesel::connection::SimpleConnection;
use test_support::witness::{Tail, append_one, begin, commit};
use test_support::{self, Postgres, TestDatabase};

#[test]
fn an_appender_that_stays_open_is_waited_for_by_what_lies_behind_it() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut reader = Tail::new(database.connect()?);
    let (mut idle, mut busy) = (database.connect()?, database.connect()?);
    append_one(&mut busy, "Before")?;
    begin(&mut idle)?;
    append_one(&mut idle, "Idle")?;
    append_one(&mut busy, "Behind")?;
    assert_eq!(reader.news()?, ["Before"]);
    assert_eq!(reader.newest()?.as_deref(), Some("Before"));

    // Those that begin while it is open are not waited for twice.
    let mut also_idle = database.connect()?;
    begin(&mut also_idle)?;
    append_one(&mut also_idle, "Also idle")?;
    append_one(&mut busy, "Far behind")?;
    commit(&mut idle)?;
    assert_eq!(reader.news()?, ["Idle", "Behind"]);
    commit(&mut also_idle)?;
    assert_eq!(reader.news()?, ["Also idle", "Far behind"]);
    Ok(())
}

#[test]
fn a_transaction_that_appends_nothing_is_not_waited_for() -> test_support::Result {
    let (database, elsewhere) = (Postgres::migrated()?, Postgres::migrated()?);
    let mut reader = Tail::new(database.connect()?);
    let mut unrelated =
        [database.connect()?, database.connect()?, elsewhere.connect()?, elsewhere.connect()?];
    let [writes, prepares, writes_elsewhere, appends_elsewhere] = &mut unrelated;
    for conn in [&mut *writes, &mut *writes_elsewhere] {
        test_support::create_app_rows(conn)?;
        begin(conn)?;
        test_support::insert_app_row(conn, "not committed for long")?;
    }
    begin(prepares)?;
    test_support::execute(prepares, "CREATE TABLE prepared (id INTEGER)")?;
    test_support::execute(prepares, "PREPARE TRANSACTION 'waiting: unrelated'")?;
    begin(appends_elsewhere)?;
    append_one(appends_elsewhere, "Elsewhere")?;

    let mut conn = database.connect()?;
    for event_type in ["First", "Second", "Third"] {
        append_one(&mut conn, event_type)?;
        assert_eq!(reader.news()?, [event_type]);
        assert_eq!(reader.newest()?.as_deref(), Some(event_type));
    }
    test_support::execute(&mut conn, "ROLLBACK PREPARED 'waiting: unrelated'")?;
    Ok(())
}

#[test]
fn a_transaction_that_has_failed_to_append_is_not_waited_for() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut reader = Tail::new(database.connect()?);
    let (mut failing, mut conn) = (database.connect()?, database.connect()?);
    append_one(&mut conn, "Before")?;
    begin(&mut failing)?;
    append_one(&mut failing, "Before").expect_err("it is there already");
    append_one(&mut conn, "Behind")?;
    assert_eq!(reader.news()?, ["Before", "Behind"]);
    commit(&mut failing)
}

/// Keys of the application's choice, for the session and for the transaction; also such that begin like the
/// fence's own, as a number of 64 bits that looks like chance may.
#[test]
fn advisory_locks_of_the_application_are_not_waited_for() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut reader = Tail::new(database.connect()?);
    let mut application = database.connect()?;
    application.batch_execute(
        "BEGIN;
         SELECT pg_advisory_lock(key), pg_advisory_xact_lock(key + 1) FROM unnest(ARRAY[
             0, 1, -1, 4711, 4294967296, 281474976710656, -281474976710656, 9223372036854775800,
             -9223372036854775808, 7310027616281559924
         ]::bigint[]) AS key;
         SELECT pg_advisory_lock_shared(key + 10), pg_advisory_xact_lock_shared(key + 20) FROM unnest(ARRAY[
             0, 1, -1, 4711, 4294967296, 281474976710656, -281474976710656, 9223372036854775700,
             -9223372036854775808, 7310027616281559924
         ]::bigint[]) AS key;
         SELECT pg_advisory_lock(0, 0), pg_advisory_lock_shared(0, 1), pg_advisory_xact_lock_shared(16400, 7);
         SELECT pg_advisory_lock_shared(fence | 211106232532993), pg_advisory_lock(fence | 211106232532994)
         FROM (SELECT ('events_global_position_seq'::regclass::oid::bigint & 32767) << 48) AS events (fence);",
    )?;
    let mut conn = database.connect()?;
    for event_type in ["First", "Second", "Third"] {
        append_one(&mut conn, event_type)?;
        assert_eq!(reader.news()?, [event_type]);
    }
    Ok(())
}
