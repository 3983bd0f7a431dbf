//! A log is opened whose other database is lost.

use diesel_event_store::operate::{FreezeError, freeze, unfreeze, verify};
use diesel_event_store::transfer::{CopyError, copy, discard, reclaim};
use diesel_event_store::{EventConnection, EventStore, ExpectedVersion, LogState};
use test_support::{LONG, Result, TestDatabase, count, counted, execute, user};

use super::super::housekeeping::remove;
use super::copy_control::{append, options};
use super::{breaks_off, empty, exported, fill};

tests! {
    a_log_on_its_way_back_is_opened_with_what_was_copied,
    the_target_of_the_first_copy_is_opened_with_what_was_copied,
    what_was_changed_since_it_was_copied_stays_closed,
    what_an_import_fills_stays_closed,
    a_frozen_log_whose_row_was_lost_is_not_opened_by_itself,
    a_log_that_is_filled_and_whose_row_was_lost_keeps_its_events,
    a_log_whose_row_was_written_by_hand_is_opened,
}

const STORE: EventStore = EventStore::new();

fn follow<S: EventConnection, T: EventConnection>(from: &mut S, to: &mut T) {
    match copy(from, to, &options().rebuild("own").rebuild("fails on the third"), |_| false) {
        Err(CopyError::NotSwitched) => {}
        other => panic!("{other:?}"),
    }
}

/// The other database is lost from here on.
fn is_in_use_again<C: EventConnection>(conn: &mut C) -> Result {
    let (version, last) = (STORE.version(conn, &user("alice")?)?, STORE.last_position(conn)?);
    assert!(reclaim(conn, LONG)?);
    STORE.append(conn, &user("alice")?, ExpectedVersion::Exact(version), &counted(1)?)?;
    assert!(STORE.last_position(conn)? > last);
    assert!(verify(conn)?.is_sound() && STORE.repair(conn)?.is_nothing());
    assert!(!reclaim(conn, LONG)?);
    Ok(())
}

fn a_log_on_its_way_back_is_opened_with_what_was_copied<D: TestDatabase>() -> Result {
    let ((_db, mut shop), (_other, mut server)) = (empty::<D>()?, empty::<D>()?);
    append(&mut shop, "alice", 3)?;
    copy(&mut shop, &mut server, &options(), |_| true)?;
    append(&mut server, "alice", 2)?;
    assert!(matches!(copy(&mut server, &mut shop, &options(), |_| false), Err(CopyError::NotSwitched)));
    match unfreeze(&mut shop, LONG) {
        Err(FreezeError::LogClosed(closed)) => assert_eq!(closed.state(), LogState::Receiving),
        other => panic!("{other:?}"),
    }
    is_in_use_again(&mut shop)?;
    assert_eq!(STORE.version(&mut shop, &user("alice")?)?, 6);
    Ok(())
}

fn the_target_of_the_first_copy_is_opened_with_what_was_copied<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<D>()?, empty::<D>()?);
    fill(&mut from)?;
    follow(&mut from, &mut to);
    is_in_use_again(&mut to)?;
    assert_eq!(STORE.log_id(&mut to)?, STORE.log_id(&mut from)?);
    Ok(())
}

fn what_was_changed_since_it_was_copied_stays_closed<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<D>()?, empty::<D>()?);
    fill(&mut from)?;
    follow(&mut from, &mut to);
    remove(&mut to, "global_position = 7")?;
    match reclaim(&mut to, LONG) {
        Err(CopyError::Altered { position, .. }) => assert_eq!(position, STORE.last_position(&mut from)?),
        other => panic!("{other:?}"),
    }
    assert!(append(&mut to, "alice", 1).is_err());
    Ok(())
}

fn what_an_import_fills_stays_closed<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<D>()?, empty::<D>()?);
    fill(&mut from)?;
    let file = exported(&mut from)?;
    assert!(breaks_off(&mut to, &file, 2, file.len() / 2).is_err());
    match reclaim(&mut to, LONG) {
        Err(CopyError::Freeze(FreezeError::LogClosed(_))) => {}
        other => panic!("{other:?}"),
    }
    assert!(discard(&mut to)?);
    Ok(())
}

/// It may have moved, and two logs could be open.
fn a_frozen_log_whose_row_was_lost_is_not_opened_by_itself<D: TestDatabase>() -> Result {
    let (_db, mut conn) = empty::<D>()?;
    append(&mut conn, "alice", 3)?;
    freeze(&mut conn, "a test", LONG)?;
    execute(&mut conn, "DELETE FROM event_log")?;
    STORE.repair(&mut conn)?;
    match unfreeze(&mut conn, LONG) {
        Err(error @ FreezeError::MayHaveMoved(_)) => assert!(!error.is_retryable()),
        other => panic!("{other:?}"),
    }
    assert!(append(&mut conn, "alice", 1).is_err());
    let closed = STORE.log_closed(&mut conn)?.expect("it is closed");
    assert!(closed.note().contains("was lost"), "{}", closed.note());
    is_in_use_again(&mut conn)
}

/// It may have had events before.
fn a_log_that_is_filled_and_whose_row_was_lost_keeps_its_events<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<D>()?, empty::<D>()?);
    fill(&mut from)?;
    follow(&mut from, &mut to);
    let events = count(&mut to, "events")?;
    execute(&mut to, "DELETE FROM event_log")?;
    STORE.repair(&mut to)?;
    assert_eq!(STORE.log_closed(&mut to)?.map(|closed| closed.state()), Some(LogState::Receiving));
    let refused = discard(&mut to).expect_err("they would be lost").to_string();
    assert!(refused.contains("may have had"), "{refused}");
    assert_eq!(count(&mut to, "events")?, events);
    is_in_use_again(&mut to)
}

/// Without saying why it is closed.
fn a_log_whose_row_was_written_by_hand_is_opened<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<D>()?, empty::<D>()?);
    fill(&mut from)?;
    follow(&mut from, &mut to);
    execute(&mut to, "UPDATE event_log SET note = NULL")?;
    is_in_use_again(&mut to)
}
