//! A writer that has appended and not ended holds back what was committed after it, and is named to a user
//! who may know.

use diesel::prelude::*;
use diesel_event_store::chrono::{TimeDelta, Utc};
use diesel_event_store::projection::{self, Projection};
use diesel_event_store::{LogHolder, LogStatus};
use test_support::{Result, execute};

use super::asking::until_named;
use super::database::{Database, STORE, append, begin, commit, number};

#[test]
fn it_is_seen_and_named() -> Result {
    let db = Database::migrated()?;
    let (mut hanging, mut conn) = (db.connect()?, db.connect()?);
    let orders = Projection::new("orders", 1, |_: &mut MysqlConnection, _| Ok(()));
    append(&mut conn, "first")?;
    orders.catch_up(&mut conn)?;
    assert_eq!(STORE.log_status(&mut conn)?.held_back_for(), None);

    // What times mean to the sessions has no influence.
    execute(&mut hanging, "SET time_zone = '-05:00'")?;
    execute(&mut conn, "SET time_zone = '+07:00'")?;
    let id = number(&mut hanging, "CONNECTION_ID()")?;
    begin(&mut hanging)?;
    append(&mut hanging, "hangs")?;
    for name in ["second", "third"] {
        append(&mut conn, name)?;
    }
    let [status] = &projection::status(&mut conn)?[..] else { panic!("there is one projection") };
    assert_eq!(status.positions_behind(), 3, "{status:?}");
    assert_eq!(status.log().positions_held_back(), 3);
    until_named(|| Ok(named(&STORE.log_status(&mut conn)?, id).is_some()))?;
    let log = STORE.log_status(&mut conn)?;
    let since = named(&log, id).and_then(LogHolder::since).ok_or_else(|| format!("{log:?}"))?;
    assert!((Utc::now() - since).abs() < TimeDelta::minutes(10), "{since}");
    assert!(log.held_back_for().is_some() && !log.is_stalled(), "{log:?}");

    commit(&mut hanging)?;
    assert_eq!(STORE.log_status(&mut conn)?.positions_held_back(), 0);
    Ok(())
}

fn named(log: &LogStatus, process: i64) -> Option<&LogHolder> {
    log.held_back_by().iter().find(|holder| holder.process() == Some(process))
}

#[test]
fn a_user_who_may_not_know_is_told_that_something_is_held_back() -> Result {
    let db = Database::migrated()?;
    let (mut hanging, mut conn) = (db.connect()?, db.connect_as("held", "SELECT, UPDATE")?);
    begin(&mut hanging)?;
    append(&mut hanging, "hangs")?;
    append(&mut db.connect()?, "behind")?;
    let log = STORE.log_status(&mut conn)?;
    assert_eq!((log.positions_held_back(), log.held_back_by().len()), (2, 0), "{log:?}");
    assert!(log.held_back_for().is_some());
    commit(&mut hanging)
}
