//! A copy that is run again with other words, or after its databases were used for something else meanwhile.

use std::error::Error;
use std::time::Duration;

use diesel_event_store::operate::{FreezeError, freeze, unfreeze};
use diesel_event_store::projection::Projection;
use diesel_event_store::transfer::{
    Copied, CopyControl, CopyError, Fate, Next, abandon, copy, copy_with, discard, export_archive, look,
    reclaim, remove_archived, restore,
};
use diesel_event_store::{AppendError, EventConnection, EventStore, Position, RecordedEvent};
use test_support::witness::{begin, commit};
use test_support::{LONG, Result, TestDatabase, execute};

use super::super::Tests;
use super::copy_control::{append, archive_alice, kept, options, switched_in_part};
use super::empty;
use super::unlock_leaves;

tests_of_pairs! {
    what_was_kept_is_built_again_if_that_is_said_later,
    what_was_kept_is_built_again_once_while_the_target_fills,
    what_was_to_be_built_again_is_kept_if_that_is_said_later,
    what_was_brought_is_brought_again_before_the_source_is_closed_again,
    what_is_on_its_way_back_is_built_again_if_that_is_said_later,
    other_streams_that_were_archived_do_not_make_two_logs_equal,
    what_was_archived_before_a_switch_goes_on_leaves_the_source_open,
    what_is_left_of_an_event_differs_and_the_source_goes_on,
    a_source_that_has_moved_to_a_target_that_was_discarded_is_not_opened_by_itself,
}

const STORE: EventStore = EventStore::new();

/// As it is if the copy is killed just before the target opens.
fn bring_everything<C: EventConnection>(to: &mut C, checkpoint: Option<i64>) -> Result {
    let mut complete = "\"is_complete\":true".to_owned();
    if let Some(position) = checkpoint {
        complete.push_str(",\"brought\":[[\"kept\",1]]");
        STORE.save_checkpoint(to, "kept", Position::new(position)?)?;
    }
    let note = format!("REPLACE(note, '\"is_complete\":false', '{complete}')");
    Ok(execute(to, &format!("UPDATE event_log SET note = {note}"))?)
}

fn what_was_kept_is_built_again_if_that_is_said_later<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to), _) = switched_in_part::<S, T>()?;
    bring_everything(&mut to, Some(3))?;
    let words = options().rebuild("kept");
    assert_eq!(look(&mut from, &mut to, &words)?.projections()[0].fate(), Fate::Rebuilt);
    copy(&mut from, &mut to, &words, |_| true)?;
    assert_eq!(kept::<T::Conn>().catch_up(&mut to)?.applied(), 3);
    Ok(())
}

fn what_was_kept_is_built_again_once_while_the_target_fills<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to), _) = switched_in_part::<S, T>()?;
    bring_everything(&mut to, Some(3))?;
    assert!(abandon(&mut from, &mut to, LONG)?);
    let words = options().rebuild("kept");
    assert!(matches!(copy(&mut from, &mut to, &words, |_| false), Err(CopyError::NotSwitched)));
    assert_eq!(kept::<T::Conn>().catch_up(&mut to)?.applied(), 3);

    append(&mut from, "alice", 1)?;
    copy(&mut from, &mut to, &words, |_| true)?;
    assert_eq!(kept::<T::Conn>().catch_up(&mut to)?.applied(), 1);
    Ok(())
}

fn what_was_to_be_built_again_is_kept_if_that_is_said_later<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to), _) = switched_in_part::<S, T>()?;
    bring_everything(&mut to, None)?;
    let words = options().keep("kept");
    assert_eq!(look(&mut from, &mut to, &words)?.projections()[0].fate(), Fate::Kept);
    copy(&mut from, &mut to, &words, |_| true)?;
    assert_eq!(kept::<T::Conn>().catch_up(&mut to)?.applied(), 0);
    Ok(())
}

/// Its checkpoint has moved while the source was open. Killed at any moment, the old one does not count.
fn what_was_brought_is_brought_again_before_the_source_is_closed_again<S, T>() -> Result
where
    S: TestDatabase,
    T: TestDatabase,
{
    let ((db, mut from), (_other, mut to), _) = switched_in_part::<S, T>()?;
    bring_everything(&mut to, Some(2))?;
    assert!(unfreeze(&mut from, LONG)?);
    let mut hanging = db.connect()?;
    begin(&mut hanging)?;
    append(&mut hanging, "bob", 1)?;
    match copy(&mut from, &mut to, &options().keep("kept").patience(Duration::ZERO), |_| true) {
        Err(CopyError::Freeze(FreezeError::InTheWay { .. })) => {}
        other => panic!("{other:?}"),
    }
    let closed = STORE.log_closed(&mut to)?.expect("it is closed");
    assert!(closed.note().contains("\"is_complete\":false"), "{}", closed.note());
    commit(&mut hanging)?;
    copy(&mut from, &mut to, &options().keep("kept"), |_| true)?;
    assert_eq!(kept::<T::Conn>().catch_up(&mut to)?.applied(), 1);
    Ok(())
}

fn what_is_on_its_way_back_is_built_again_if_that_is_said_later<S: TestDatabase, T: TestDatabase>() -> Result
{
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 3)?;
    let mails = || Projection::new("mails", 1, |_: &mut S::Conn, _: &RecordedEvent| Ok(()));
    mails().catch_up(&mut from)?;
    copy(&mut from, &mut to, &options().keep("mails"), |_| true)?;
    assert!(matches!(copy(&mut to, &mut from, &options(), |_| false), Err(CopyError::NotSwitched)));

    let words = options().rebuild("mails");
    assert_eq!(look(&mut to, &mut from, &words)?.projections()[0].fate(), Fate::Rebuilt);
    assert!(matches!(copy(&mut to, &mut from, &words, |_| false), Err(CopyError::NotSwitched)));
    assert_eq!(mails().catch_up(&mut from)?.applied(), 3);
    // It has begun anew, and does so once.
    assert_eq!(look(&mut to, &mut from, &words)?.projections()[0].fate(), Fate::Stays);
    copy(&mut to, &mut from, &words, |_| true)?;
    assert_eq!(mails().catch_up(&mut from)?.applied(), 0);
    Ok(())
}

/// Every stream that ends before the position.
fn archive<C: EventConnection>(conn: &mut C, before: i64) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    export_archive(conn, Position::new(before)?, &mut file)?;
    assert_eq!(remove_archived(conn, || Ok(&*file))?.events(), 1);
    Ok(file)
}

/// As many events, and others.
fn other_streams_that_were_archived_do_not_make_two_logs_equal<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    for name in ["alice", "bob", "carol"] {
        append(&mut from, name, 1)?;
    }
    let alice = archive(&mut from, 2)?;
    copy(&mut from, &mut to, &options(), |_| true)?;
    restore(&mut to, || Ok(&*alice))?;
    append(&mut to, "alice", 1)?;
    archive(&mut to, 3)?; // Bob
    match copy(&mut to, &mut from, &options(), |_| true) {
        Err(CopyError::ArchivedSince { position, .. }) => assert_eq!(position.get(), 1),
        other => panic!("{other:?}"),
    }
    append(&mut to, "alice", 1)?;
    Ok(())
}

/// As it is if the copy is killed just after it has closed the source.
fn what_was_archived_before_a_switch_goes_on_leaves_the_source_open<S, T>() -> Result
where
    S: TestDatabase,
    T: TestDatabase,
{
    let ((_db, mut from), (_other, mut to), _) = switched_in_part::<S, T>()?;
    let note = STORE.log_closed(&mut from)?.expect("it is closed").note().to_owned();
    assert!(unfreeze(&mut from, LONG)?);
    append(&mut from, "bob", 1)?;
    kept::<S::Conn>().catch_up(&mut from)?;
    archive_alice(&mut from)?;
    freeze(&mut from, "a switch", LONG)?;
    execute(&mut from, &format!("UPDATE event_log SET note = '{note}'"))?;

    match copy(&mut from, &mut to, &options().keep("kept"), |_| true) {
        Err(CopyError::ArchivedSince { position, .. }) => assert_eq!(position.get(), 1),
        other => panic!("{other:?}"),
    }
    append(&mut from, "bob", 1)?;
    assert!(matches!(append(&mut to, "bob", 1), Err(AppendError::LogClosed(_))));
    Ok(())
}

/// Both logs are closed then.
struct Fails;

impl CopyControl for Fails {
    fn caught_up(&mut self, _so_far: &Copied) -> Next {
        Next::Switch
    }

    fn move_read_models(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Err("the disk is full".into())
    }
}

fn what_is_left_of_an_event_differs_and_the_source_goes_on<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 3)?;
    append(&mut from, "bob", 1)?;
    archive_alice(&mut from)?;
    let failed = copy_with(&mut from, &mut to, &options(), &mut Fails);
    assert!(matches!(failed, Err(CopyError::ReadModels(_))), "{failed:?}");
    unlock_leaves(&mut to)?;
    let leaf = "a".repeat(64);
    execute(&mut to, &format!("UPDATE event_rewrites SET leaf = '{leaf}' WHERE global_position = 2"))?;

    let diverged = copy(&mut from, &mut to, &options(), |_| true);
    assert!(matches!(diverged, Err(CopyError::Diverged { .. })), "{diverged:?}");
    append(&mut from, "bob", 1)?;
    assert!(matches!(append(&mut to, "bob", 1), Err(AppendError::LogClosed(_))));
    Ok(())
}

/// It could be open elsewhere.
fn a_source_that_has_moved_to_a_target_that_was_discarded_is_not_opened_by_itself<S, T>() -> Result
where
    S: TestDatabase,
    T: TestDatabase,
{
    let ((_db, mut from), (_other, mut to), _) = switched_in_part::<S, T>()?;
    // As it is if the copy is killed just before the target opens.
    execute(&mut from, "UPDATE event_log SET note = REPLACE(note, '{', '{\"has_moved\":true,')")?;
    assert!(discard(&mut to)?);
    match abandon(&mut from, &mut to, LONG) {
        Err(CopyError::Freeze(FreezeError::HasMoved(_))) => {}
        other => panic!("{other:?}"),
    }
    assert!(append(&mut from, "alice", 1).is_err());
    assert!(reclaim(&mut from, LONG)?);
    append(&mut from, "alice", 1)?;
    Ok(())
}
