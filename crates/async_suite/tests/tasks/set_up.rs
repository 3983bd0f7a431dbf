//! What an application sets once, on a connection or for a database.

use std::time::Duration;

use async_suite::{AsyncPostgres, AsyncSqlite, EventConnection, RUNTIME, Result, TestDatabase, count};
use real::postgres::async_set_append_notifications;
use real::sqlite::{Options, OptionsError};

#[test]
fn options_are_applied() -> Result {
    let database = AsyncSqlite::create()?;
    let mut conn = database.connect()?;
    let mut apply = |options: Options| RUNTIME.block_on(options.async_apply(conn.awaited()));
    apply(Options::default().busy_timeout(Duration::from_millis(1_234)))?;
    let refused = apply(Options::default().busy_timeout(Duration::MAX));
    assert!(matches!(&refused, Err(OptionsError::Invalid(invalid)) if invalid.field() == "busy_timeout"));
    assert_eq!(count(&mut conn, "pragma_busy_timeout WHERE timeout = 1234")?, 1);
    Ok(())
}

#[test]
fn appends_notify_while_that_is_set_postgres() -> Result {
    let database = AsyncPostgres::migrated()?;
    let mut conn = database.connect()?;
    for are_wanted in [true, true, false, false] {
        RUNTIME.block_on(async_set_append_notifications(conn.awaited(), are_wanted))?;
        let triggers = count(&mut conn, "pg_trigger WHERE tgname = 'events_notify'")?;
        assert_eq!(triggers, i64::from(are_wanted));
    }
    Ok(())
}

/// On a connection to another database it does nothing.
#[test]
fn only_one_database_notifies() -> Result {
    let database = AsyncSqlite::migrated()?;
    let mut conn = database.connect()?;
    RUNTIME.block_on(async_set_append_notifications(conn.awaited(), true))?;
    assert_eq!(count(&mut conn, "sqlite_master WHERE name = 'events_notify'")?, 0);
    Ok(())
}
