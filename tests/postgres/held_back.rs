//! A writer that has appended and not ended holds back what was committed after it, and is named.

use std::time::Duration;

use diesel::prelude::*;
use diesel_event_store::chrono::Utc;
use diesel_event_store::projection::{self, Projection, ProjectionStatus};
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent};
use test_support::witness::{append_one, begin, commit};
use test_support::{Postgres, Result, TestDatabase, execute, user};

const STORE: EventStore = EventStore::new();

fn orders() -> Projection<PgConnection> {
    Projection::new("orders", 1, |_: &mut PgConnection, _| Ok(()))
}

fn status(conn: &mut PgConnection) -> Result<ProjectionStatus> {
    Ok(projection::status(conn)?.pop().ok_or("there is a projection")?)
}

define_sql_function!(fn pg_backend_pid() -> diesel::sql_types::Integer);

#[test]
fn it_is_seen_and_named() -> Result {
    let db = Postgres::migrated()?;
    let (mut hanging, mut conn) = (db.connect()?, db.connect()?);
    append_one(&mut conn, "First")?;
    orders().catch_up(&mut conn)?;
    assert_eq!(status(&mut conn)?.log().held_back_for(), None);

    execute(&mut hanging, "SET application_name = 'checkout'")?;
    let pid: i32 = diesel::select(pg_backend_pid()).get_result(&mut hanging)?;
    begin(&mut hanging)?;
    append_one(&mut hanging, "Hangs")?;
    for number in 0..5 {
        append_one(&mut conn, &format!("Behind {number}"))?;
    }
    assert_eq!(orders().catch_up(&mut conn)?.applied(), 0);
    let seen = status(&mut conn)?;
    assert_eq!(seen.positions_behind(), 6, "{seen:?}");
    assert!(seen.lag() > Duration::ZERO && seen.fraction() < 1.0, "{seen:?}");
    assert_eq!(seen.log().positions_held_back(), 6);
    let [holder] = seen.log().held_back_by() else { panic!("{seen:?}") };
    assert_eq!((holder.process(), holder.name()), (Some(pid.into()), Some("checkout")));
    let since = holder.since().ok_or("it is of the same role")?;
    assert!((Utc::now() - since).abs() < diesel_event_store::chrono::TimeDelta::minutes(10), "{since}");
    assert!(seen.log().held_back_for().is_some());

    commit(&mut hanging)?;
    assert_eq!(orders().catch_up(&mut conn)?.applied(), 6);
    let caught_up = status(&mut conn)?;
    assert_eq!((caught_up.positions_behind(), caught_up.log().held_back_by()), (0, &[][..]));
    Ok(())
}

/// One that is under way, but with what lies behind everything that is committed, holds nothing back.
#[test]
fn only_those_in_front_of_something_are_named() -> Result {
    let db = Postgres::migrated()?;
    let (mut first, mut second, mut conn) = (db.connect()?, db.connect()?, db.connect()?);
    begin(&mut first)?;
    append_one(&mut first, "Hangs")?;
    append_one(&mut conn, "Behind")?;
    begin(&mut second)?;
    append_one(&mut second, "Hangs, too")?;
    assert_eq!(STORE.log_status(&mut conn)?.held_back_by().len(), 1);
    append_one(&mut conn, "Behind both")?;
    assert_eq!(STORE.log_status(&mut conn)?.held_back_by().len(), 2);
    commit(&mut first)?;
    assert_eq!(STORE.log_status(&mut conn)?.held_back_by().len(), 1);
    commit(&mut second)
}

#[test]
fn a_prepared_transaction_is_named_by_its_identifier() -> Result {
    let db = Postgres::migrated()?;
    let (mut preparing, mut conn) = (db.connect()?, db.connect()?);
    begin(&mut preparing)?;
    append_one(&mut preparing, "Prepared")?;
    execute(&mut preparing, "PREPARE TRANSACTION 'held_back: order 1'")?;
    append_one(&mut conn, "Behind")?;
    let log = STORE.log_status(&mut conn)?;
    execute(&mut conn, "ROLLBACK PREPARED 'held_back: order 1'")?;
    let [holder] = log.held_back_by() else { panic!("{log:?}") };
    assert_eq!((holder.process(), holder.name()), (None, Some("held_back: order 1")));
    assert!(holder.since().is_some());
    Ok(())
}

/// A connection of this isolation level reads up to the published position inside a transaction.
#[test]
fn what_is_held_back_for_long_is_not_healthy() -> Result {
    let db = Postgres::migrated()?;
    let mut conn = db.connect()?;
    append_one(&mut conn, "First")?;
    orders().catch_up(&mut conn)?;
    execute(&mut conn, "UPDATE projection_checkpoints SET owner = 'worker', leased_until = 99999999999999")?;
    STORE.publish_position(&mut conn)?;
    conn.build_transaction().repeatable_read().run(|conn| -> Result {
        for (age, is_healthy) in [(0, true), (3600, false)] {
            let written = Utc::now() - Duration::from_secs(age);
            let event = [NewEvent::new("Written", &())?.created_at(written)];
            let undone: Result = conn.transaction(|conn| {
                STORE.append(conn, &user("alice")?, ExpectedVersion::Any, &event)?;
                let seen = status(conn)?;
                assert_eq!(seen.log().is_stalled(), !is_healthy, "{seen:?}");
                assert_eq!(seen.is_healthy(), is_healthy, "{seen:?}");
                assert!(seen.lag() >= Duration::from_secs(age));
                Err(diesel::result::Error::RollbackTransaction.into())
            });
            assert_eq!(
                undone.unwrap_err().to_string(),
                diesel::result::Error::RollbackTransaction.to_string()
            );
        }
        Ok(())
    })
}
