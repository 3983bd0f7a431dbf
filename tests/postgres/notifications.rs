//! Appends that notify, if that was asked for.

use diesel::prelude::*;
use diesel_event_store::postgres::set_append_notifications;
use test_support::witness::{append_one, begin, commit, roll_back};
use test_support::{Postgres, TestDatabase, eventually};

fn listener(database: &Postgres) -> test_support::Result<PgConnection> {
    let mut conn = database.connect()?;
    diesel::sql_query("LISTEN diesel_event_store").execute(&mut conn)?;
    Ok(conn)
}

/// Notifications come by themselves, but not at once.
fn hear(listener: &mut PgConnection) -> test_support::Result {
    eventually("it is notified", || Ok(listener.notifications_iter().count() > 0))
}

/// By the time that the server has answered, what it had to say before has arrived.
fn has_heard(listener: &mut PgConnection) -> test_support::Result<bool> {
    diesel::sql_query("SELECT 1").execute(listener)?;
    Ok(listener.notifications_iter().count() > 0)
}

#[test]
fn an_append_notifies_whoever_listens() -> test_support::Result {
    let database = Postgres::migrated()?;
    let (mut conn, mut listener) = (database.connect()?, listener(&database)?);
    set_append_notifications(&mut conn, true)?;
    append_one(&mut conn, "Heard")?;
    hear(&mut listener)?;
    Ok(())
}

#[test]
fn it_notifies_with_its_commit() -> test_support::Result {
    let database = Postgres::migrated()?;
    let (mut conn, mut listener) = (database.connect()?, listener(&database)?);
    set_append_notifications(&mut conn, true)?;
    begin(&mut conn)?;
    append_one(&mut conn, "Waits")?;
    assert!(!has_heard(&mut listener)?);
    commit(&mut conn)?;
    hear(&mut listener)?;

    begin(&mut conn)?;
    append_one(&mut conn, "Is undone")?;
    roll_back(&mut conn)?;
    assert!(!has_heard(&mut listener)?);
    Ok(())
}

#[test]
fn it_is_silent_unless_it_was_asked_for() -> test_support::Result {
    let database = Postgres::migrated()?;
    let (mut conn, mut listener) = (database.connect()?, listener(&database)?);
    append_one(&mut conn, "Before")?;
    set_append_notifications(&mut conn, true)?;
    set_append_notifications(&mut conn, true)?; // as another process that starts
    set_append_notifications(&mut conn, false)?;
    append_one(&mut conn, "After")?;
    assert!(!has_heard(&mut listener)?);
    Ok(())
}
