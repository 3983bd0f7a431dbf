//! A log moves to another database while it is in use.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use diesel::Connection;
use diesel_event_store::operate::{FreezeError, freeze, unfreeze, verify};
use diesel_event_store::projection::{Projection, ProjectionError};
use diesel_event_store::transfer::{Copied, CopyError, CopyOptions, Fate, abandon, copy, discard, look};
use diesel_event_store::{
    AppendError, Error, EventConnection, EventStore, ExpectedVersion, LogState, Position, RecordedEvent,
    write_transaction,
};
use test_support::witness::{begin, commit, roll_back};
use test_support::{LONG, Result, TestDatabase, at_once, count, counted, eventually, execute, user};

use super::super::Tests;
use super::super::housekeeping::{remove, restore};
use super::{content, empty, exported, fill, imported, request};

tests_of_pairs! {
    writers_go_on_until_it_has_moved,
    everything_moves_and_goes_on,
    it_moves_back_and_only_what_is_new_travels,
    a_projection_is_kept_or_rebuilt,
    what_is_not_said_is_refused,
    nothing_is_changed_by_looking,
    it_goes_on_where_it_was_left,
    an_abandoned_copy_leaves_the_source_open,
    what_was_switched_in_part_is_given_back,
    a_source_that_has_lost_events_is_refused,
    a_difference_is_found_and_the_source_goes_on,
    what_is_in_use_is_no_target,
    what_has_moved_is_no_source,
    a_transaction_in_the_way_changes_nothing,
    positions_go_on_above_everything,
    what_is_rebuilt_leaves_nothing_behind,
    closed_sources_and_other_copies_are_refused,
    a_log_is_not_copied_into_itself,
    what_is_rebuilt_on_the_way_back_begins_anew,
}

const STORE: EventStore = EventStore::new();
const WRITERS: usize = 4;

/// With everything that `fill` leaves.
fn options() -> CopyOptions {
    CopyOptions::to("elsewhere://db/shop").keep("fails on the third").keep("own").patience(LONG)
}

fn move_all<S: EventConnection, T: EventConnection>(from: &mut S, to: &mut T) -> Result<Copied, CopyError> {
    copy(from, to, &options(), |_| true)
}

/// The target is filled up to where the source is, and the source goes on.
fn fill_target<S: EventConnection, T: EventConnection>(from: &mut S, to: &mut T) -> Result {
    match copy(from, to, &options(), |_| false) {
        Err(CopyError::NotSwitched) => Ok(()),
        other => panic!("{other:?}"),
    }
}

fn append<C: EventConnection>(conn: &mut C, name: &str, events: i64) -> Result<(), AppendError> {
    STORE.append(conn, &user(name)?, ExpectedVersion::Any, &counted(events)?).map(drop)
}

/// Where whoever appends to the source is sent.
fn assert_sent_away<C: EventConnection>(conn: &mut C) {
    match append(conn, "alice", 1) {
        Err(AppendError::LogClosed(closed)) => {
            assert_eq!(closed.state(), LogState::Frozen);
            assert!(closed.note().contains("it moves to elsewhere://db/shop"), "{}", closed.note());
        }
        other => panic!("{other:?}"),
    }
}

fn writers_go_on_until_it_has_moved<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    fill(&mut from)?;
    let filled = count(&mut from, "events")?;
    let committed = AtomicI64::new(0);
    let mut conns = (0..=WRITERS).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    let target = std::sync::Mutex::new(&mut to);
    let outcomes = at_once(&mut conns, |index, conn| -> Result {
        if index < WRITERS {
            return append_until_moved(conn, index, &committed);
        }
        eventually("some are appended", || Ok(committed.load(Ordering::Relaxed) > 20))?;
        let copied = move_all(conn, *target.lock().expect("nobody else"))?;
        assert!(copied.events() > 0 && copied.closed_for() > Duration::ZERO);
        Ok(())
    });
    outcomes.into_iter().collect::<Result>()?;
    assert_eq!(count(&mut to, "events")?, filled + committed.into_inner());
    assert_eq!(exported(&mut to)?, exported(&mut from)?);
    assert!(verify(&mut to)?.is_sound() && STORE.repair(&mut to)?.is_nothing());
    let last = STORE.last_position(&mut from)?;
    append(&mut to, "alice", 1)?;
    assert!(STORE.last_position(&mut to)? > last);
    assert_sent_away(&mut from);
    Ok(())
}

/// The odd ones in transactions with two appends, some of which are rolled back.
fn append_until_moved<C>(conn: &mut C, index: usize, committed: &AtomicI64) -> Result
where
    C: EventConnection + Connection,
{
    let name = index.to_string();
    for round in 0.. {
        if round % 5 == 4 {
            begin(conn)?;
            let _ = append(conn, &name, 1); // refused or rolled back
            roll_back(conn)?;
        }
        let number = 1 + index as i64 % 2;
        let outcome = write_transaction(conn, |conn| -> Result<(), Error> {
            (0..number).try_for_each(|_| append(conn, &name, 1))?;
            Ok(())
        });
        match outcome {
            Ok(()) => _ = committed.fetch_add(number, Ordering::Relaxed),
            Err(Error::Append(AppendError::LogClosed(_))) => return Ok(()),
            Err(error) if error.is_retryable() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn everything_moves_and_goes_on<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), other) = (empty::<S>()?, T::create()?);
    fill(&mut from)?;
    let (before, mut to) = (content(&mut from)?, other.connect()?);
    let copied = move_all(&mut from, &mut to)?;
    assert_eq!(copied.events() as i64, count(&mut to, "events")?);
    assert_eq!(copied.log_id(), STORE.log_id(&mut to)?);
    assert_eq!(format!("{:?}", content(&mut to)?), format!("{before:?}"));
    assert_eq!(exported(&mut to)?, exported(&mut from)?);
    assert!(STORE.append_batch(&mut to, &request()?)?.is_repeat());
    append(&mut to, "alice", 1)?;
    // Once more changes nothing.
    let again = move_all(&mut from, &mut to)?;
    assert_eq!((again.events(), again.closed_for()), (0, Duration::ZERO));
    append(&mut to, "alice", 1)?;
    assert_sent_away(&mut from);
    Ok(())
}

fn it_moves_back_and_only_what_is_new_travels<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    fill(&mut from)?;
    let stays = Projection::new("stays", 1, |_: &mut S::Conn, _: &RecordedEvent| Ok(()));
    stays.catch_up(&mut from)?;
    let applied = STORE.last_position(&mut from)?;
    copy(&mut from, &mut to, &options().rebuild("stays"), |_| true)?;
    append(&mut to, "bob", 3)?;
    append(&mut to, "alice", 2)?;
    STORE.save_checkpoint(&mut to, "own", Position::new(9)?)?;

    let plan = look(&mut to, &mut from, &options())?;
    assert_eq!((plan.after(), plan.undecided()), (applied, Vec::new()));
    let back = move_all(&mut to, &mut from)?;
    assert_eq!((back.events(), back.last_position()), (5, STORE.last_position(&mut to)?));
    assert_sent_away(&mut to);
    append(&mut from, "alice", 1)?;
    assert_eq!(STORE.checkpoint(&mut from, "own")?.map(|own| own.position()), Some(Position::new(9)?));
    // Its read model was here all the time.
    assert_eq!(stays.catch_up(&mut from)?.applied(), 6);
    assert!(verify(&mut from)?.is_sound() && STORE.repair(&mut from)?.is_nothing());

    let there = move_all(&mut from, &mut to);
    assert!(matches!(there, Err(CopyError::Undecided { projections, .. }) if projections == ["stays"]));
    assert_eq!(copy(&mut from, &mut to, &options().rebuild("stays"), |_| true)?.events(), 1);
    append(&mut to, "alice", 1)?;
    Ok(())
}

fn a_projection_is_kept_or_rebuilt<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 3)?;
    for name in ["kept", "rebuilt"] {
        Projection::new(name, 1, |_: &mut S::Conn, _: &RecordedEvent| Ok(())).catch_up(&mut from)?;
    }
    append(&mut from, "alice", 2)?;
    let options = CopyOptions::to("elsewhere://db/shop").keep("kept").rebuild("rebuilt");
    copy(&mut from, &mut to, &options, |_| true)?;
    let applied = |name| -> Result<u64> {
        let projection = Projection::new(name, 1, |_: &mut T::Conn, _: &RecordedEvent| Ok(()));
        Ok(projection.catch_up(&mut to)?.applied())
    };
    assert_eq!(["kept", "rebuilt"].map(applied).into_iter().collect::<Result<Vec<_>>>()?, [2, 5]);
    // The read model that has moved stands still.
    let kept = Projection::new("kept", 1, |_: &mut S::Conn, _: &RecordedEvent| Ok(()));
    match kept.catch_up(&mut from) {
        Err(ProjectionError::Owned { owner, .. }) => assert_eq!(owner, "moved to another database"),
        other => panic!("{other:?}"),
    }
    Ok(())
}

fn what_is_not_said_is_refused<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    fill(&mut from)?;
    let to_shop = || CopyOptions::to("elsewhere://db/shop");
    let refusal = |from: &mut S::Conn, to: &mut T::Conn, options: &CopyOptions| {
        copy(from, to, options, |_| true).expect_err("it is refused").to_string()
    };
    let refused = refusal(&mut from, &mut to, &to_shop().keep("own"));
    assert!(refused.ends_with("(rebuild): fails on the third"), "{refused}");
    let refused = refusal(&mut from, &mut to, &options().keep("orders"));
    assert_eq!(refused, "the source has no projection orders");
    let refused = refusal(&mut from, &mut to, &options().rebuild("own"));
    assert_eq!(refused, "own cannot be kept and be rebuilt");
    let refused = refusal(&mut from, &mut to, &CopyOptions::to(""));
    assert_eq!(refused, "to is empty");
    assert_eq!((STORE.log_closed(&mut from)?, STORE.log_closed(&mut to)?), (None, None));
    Ok(())
}

fn nothing_is_changed_by_looking<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), other) = (empty::<S>()?, T::create()?);
    fill(&mut from)?;
    let mut to = other.connect()?;
    let options = CopyOptions::to("elsewhere://db/shop").keep("own");
    let plan = look(&mut from, &mut to, &options)?;
    assert_eq!((plan.after(), plan.end()), (Position::START, STORE.last_position(&mut from)?));
    assert_eq!(plan.undecided(), ["fails on the third"]);
    let fates: Vec<_> = plan.projections().iter().map(|carried| carried.fate()).collect();
    assert_eq!(fates, [Fate::Undecided, Fate::Kept]);
    assert!(STORE.log_id(&mut to).is_err(), "there are no tables");
    assert_eq!(STORE.log_closed(&mut from)?, None);
    Ok(())
}

fn it_goes_on_where_it_was_left<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    fill(&mut from)?;
    fill_target(&mut from, &mut to)?;
    append(&mut from, "alice", 2)?;
    assert_eq!(STORE.log_closed(&mut to)?.map(|closed| closed.state()), Some(LogState::Receiving));
    let copied = move_all(&mut from, &mut to)?;
    assert_eq!(copied.events(), 2);
    assert_eq!(exported(&mut to)?, exported(&mut from)?);
    Ok(())
}

fn an_abandoned_copy_leaves_the_source_open<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    fill(&mut from)?;
    fill_target(&mut from, &mut to)?;
    assert!(abandon(&mut from, &mut to, LONG)?);
    append(&mut from, "alice", 2)?;
    assert!(append(&mut to, "alice", 1).is_err());
    assert_eq!(move_all(&mut from, &mut to)?.events(), 2);
    assert!(!abandon(&mut from, &mut to, LONG)?, "it has moved");
    assert_sent_away(&mut from);

    append(&mut to, "alice", 1)?;
    fill_target(&mut to, &mut from)?;
    let lost = discard(&mut from).expect_err("the events would be lost").to_string();
    assert!(lost.contains("had events before this copy began"), "{lost}");
    Ok(())
}

/// As it is if the copy is killed just before the target opens.
fn what_was_switched_in_part_is_given_back<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 3)?;
    let kept = Projection::new("kept", 1, |_: &mut S::Conn, _: &RecordedEvent| Ok(()));
    kept.catch_up(&mut from)?;
    let options = CopyOptions::to("elsewhere://db/shop").keep("kept");
    assert!(copy(&mut from, &mut to, &options, |_| false).is_err());
    let complete = "REPLACE(note, '\"is_complete\":false', '\"is_complete\":true')";
    execute(&mut to, &format!("UPDATE event_log SET note = {complete}"))?;
    let taken = "owner = 'moved to another database', leased_until = 9000000000000000000";
    execute(&mut from, &format!("UPDATE projection_checkpoints SET {taken}"))?;

    assert!(abandon(&mut from, &mut to, LONG)?);
    append(&mut from, "alice", 2)?;
    assert_eq!(kept.catch_up(&mut from)?.applied(), 2);
    copy(&mut from, &mut to, &options, |_| true)?;
    let kept = Projection::new("kept", 1, |_: &mut T::Conn, _: &RecordedEvent| Ok(()));
    assert_eq!(kept.catch_up(&mut to)?.applied(), 0, "its checkpoint is the newest");
    Ok(())
}

fn a_source_that_has_lost_events_is_refused<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 9)?;
    let options = CopyOptions::to("elsewhere://db/shop");
    assert!(copy(&mut from, &mut to, &options, |_| false).is_err());
    restore(&mut from, Position::new(5)?)?;
    append(&mut from, "bob", 7)?;
    match copy(&mut from, &mut to, &options, |_| true) {
        Err(CopyError::Diverged { position, .. }) => assert_eq!(position.get(), 9),
        other => panic!("{other:?}"),
    }
    append(&mut from, "bob", 1)?;
    assert!(discard(&mut to)?);
    assert_eq!(copy(&mut from, &mut to, &options, |_| true)?.events(), 13);
    Ok(())
}

fn a_difference_is_found_and_the_source_goes_on<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    fill(&mut from)?;
    fill_target(&mut from, &mut to)?;
    remove(&mut to, "global_position = 7")?;
    match move_all(&mut from, &mut to) {
        Err(CopyError::Differs(difference)) => {
            assert_eq!((difference.position().get(), difference.field()), (7, None));
            assert_eq!(difference.to_string(), "only the source has an event at position 7");
        }
        other => panic!("{other:?}"),
    }
    append(&mut from, "alice", 1)?;
    Ok(())
}

fn what_is_in_use_is_no_target<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    fill(&mut from)?;
    append(&mut to, "bob", 1)?;
    assert!(matches!(move_all(&mut from, &mut to), Err(CopyError::TargetInUse)));
    freeze(&mut to, "a test", LONG)?;
    assert!(matches!(move_all(&mut from, &mut to), Err(CopyError::TargetClosed(_))));

    let (_third, mut to) = empty::<T>()?;
    STORE.save_checkpoint(&mut to, "reader", Position::new(3)?)?;
    match move_all(&mut from, &mut to) {
        Err(CopyError::Occupied { what, .. }) => assert_eq!(what, "checkpoints"),
        other => panic!("{other:?}"),
    }
    assert_eq!((STORE.log_closed(&mut from)?, STORE.log_closed(&mut to)?), (None, None));
    Ok(())
}

fn what_has_moved_is_no_source<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to), (_third, mut third)) =
        (empty::<S>()?, empty::<T>()?, empty::<T>()?);
    fill(&mut from)?;
    fill_target(&mut from, &mut third)?;
    move_all(&mut from, &mut to)?;
    let taken = "projection_checkpoints WHERE owner = 'moved to another database'";
    let moved_along = count(&mut from, taken)?;
    assert!(moved_along > 0);
    match move_all(&mut from, &mut third) {
        Err(CopyError::SourceClosed(closed)) => assert!(closed.note().contains("elsewhere://db/shop")),
        other => panic!("{other:?}"),
    }
    assert!(append(&mut third, "alice", 1).is_err(), "the other target is not open");
    // To abandon that copy does not open what has moved.
    assert!(abandon(&mut from, &mut third, LONG)?);
    assert_sent_away(&mut from);
    assert_eq!(count(&mut from, taken)?, moved_along, "its read models are elsewhere");
    let file = exported(&mut from)?;
    let refused = imported(&mut third, &file).expect_err("a copy fills it").to_string();
    assert!(refused.starts_with("another import fills this log"), "{refused}");
    assert!(discard(&mut third)?);
    Ok(())
}

/// Above what the source has given out, and above what the target's readers have seen.
fn positions_go_on_above_everything<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 5)?;
    assert_eq!(STORE.last_position(&mut from)?.get(), 5, "readers may be there");
    remove(&mut from, "global_position > 3")?;
    STORE.repair(&mut from)?;
    copy(&mut from, &mut to, &CopyOptions::to("elsewhere"), |_| true)?;
    append(&mut to, "bob", 1)?;
    assert!(STORE.last_position(&mut to)?.get() > 5, "{}", STORE.last_position(&mut to)?);

    STORE.save_checkpoint(&mut to, "ahead", Position::new(1_000)?)?;
    copy(&mut to, &mut from, &CopyOptions::to("elsewhere").keep("ahead"), |_| true)?;
    append(&mut from, "bob", 1)?;
    assert_eq!(STORE.last_position(&mut from)?.get(), 1_001);
    Ok(())
}

fn what_is_rebuilt_leaves_nothing_behind<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    fill(&mut from)?;
    assert!(count(&mut from, "parked_events")? > 0);
    let options = CopyOptions::to("elsewhere").rebuild("fails on the third").rebuild("own");
    copy(&mut from, &mut to, &options, |_| true)?;
    assert_eq!((count(&mut to, "parked_events")?, count(&mut to, "projection_checkpoints")?), (0, 0));
    Ok(())
}

fn closed_sources_and_other_copies_are_refused<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 3)?;
    freeze(&mut from, "a backup", LONG)?;
    assert!(matches!(move_plainly(&mut from, &mut to), Err(CopyError::SourceClosed(_))));
    unfreeze(&mut from, LONG)?;
    assert!(copy(&mut from, &mut to, &CopyOptions::to("elsewhere"), |_| false).is_err());
    // What fills the target is no source, and no target of another log.
    let ((_third, mut third), (_fourth, mut fourth)) = (empty::<S>()?, empty::<T>()?);
    append(&mut third, "alice", 3)?;
    assert!(matches!(move_plainly(&mut third, &mut to), Err(CopyError::OtherCopy { .. })));
    assert!(matches!(move_plainly(&mut to, &mut fourth), Err(CopyError::SourceClosed(_))));
    // What has moved has not moved to any other log.
    move_plainly(&mut from, &mut to)?;
    append(&mut fourth, "bob", 3)?;
    assert!(matches!(move_plainly(&mut from, &mut fourth), Err(CopyError::SourceClosed(_))));

    let (_fifth, mut with_heads) = empty::<T>()?;
    append(&mut with_heads, "alice", 1)?;
    remove(&mut with_heads, "global_position > 0")?;
    match move_plainly(&mut third, &mut with_heads) {
        Err(CopyError::Occupied { what, .. }) => assert_eq!(what, "streams"),
        other => panic!("{other:?}"),
    }
    Ok(())
}

fn move_plainly<S: EventConnection, T: EventConnection>(
    from: &mut S,
    to: &mut T,
) -> Result<Copied, CopyError> {
    copy(from, to, &CopyOptions::to("elsewhere"), |_| true)
}

/// The same database, or one that has the same log from a file.
fn a_log_is_not_copied_into_itself<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    let itself = move_plainly(&mut from, &mut db.connect()?);
    assert!(matches!(itself, Err(CopyError::SameLog)), "{itself:?}");
    append(&mut from, "alice", 1)?;
    imported(&mut to, exported(&mut from)?)?;
    let itself = move_plainly(&mut from, &mut to);
    assert!(matches!(itself, Err(CopyError::SameLog)), "{itself:?}");
    Ok(())
}

/// It is at its old place already, and is to begin with the first event.
fn what_is_rebuilt_on_the_way_back_begins_anew<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 3)?;
    let mails = || Projection::new("mails", 1, |_: &mut S::Conn, _: &RecordedEvent| Ok(()));
    mails().catch_up(&mut from)?;
    copy(&mut from, &mut to, &CopyOptions::to("elsewhere").keep("mails"), |_| true)?;
    copy(&mut to, &mut from, &CopyOptions::to("home").rebuild("mails"), |_| true)?;
    assert_eq!(mails().catch_up(&mut from)?.applied(), 3);
    Ok(())
}

fn a_transaction_in_the_way_changes_nothing<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    fill(&mut from)?;
    let mut hanging = db.connect()?;
    begin(&mut hanging)?;
    append(&mut hanging, "hangs", 1)?;
    match copy(&mut from, &mut to, &options().patience(Duration::ZERO), |_| true) {
        Err(error @ CopyError::Freeze(FreezeError::InTheWay { .. })) => assert!(error.is_retryable()),
        other => panic!("{other:?}"),
    }
    append(&mut hanging, "hangs", 1)?;
    commit(&mut hanging)?;
    begin(&mut from)?;
    assert!(matches!(move_all(&mut from, &mut to), Err(CopyError::InTransaction)));
    roll_back(&mut from)?;
    move_all(&mut from, &mut to)?;
    assert_eq!(STORE.version(&mut to, &user("hangs")?)?, 2);
    Ok(())
}
