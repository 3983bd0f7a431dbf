//! What goes along with a copy: it is told how far, stops it, lets the target follow, moves the read models.

use std::error::Error as StdError;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use diesel::Connection;
use diesel_event_store::operate::{FreezeError, freeze, unfreeze};
use diesel_event_store::projection::{Projection, ProjectionError};
use diesel_event_store::transfer::{
    Copied, CopyControl, CopyError, CopyOptions, Next, abandon, copy, copy_with, discard, export_archive,
    reclaim, remove_archived,
};
use diesel_event_store::{
    AppendError, EventConnection, EventStore, ExpectedVersion, LogQuery, NewEvent, Position, RecordedEvent,
};
use test_support::witness::{begin, commit};
use test_support::{LONG, Result, TestDatabase, count, counted, eventually, user};

use super::super::Tests;
use super::super::housekeeping::remove;
use super::{empty, exported, fill};

tests_of_pairs! {
    a_copy_stops_behind_a_batch,
    a_target_follows,
    read_models_move_while_both_logs_are_closed,
    a_difference_in_the_middle_of_the_switch_opens_the_source,
    what_was_switched_is_abandoned,
    a_projection_that_has_begun_meanwhile_is_named,
    a_source_that_is_frozen_meanwhile_is_left_alone,
    who_has_abandoned_a_copy_stops_it_each_time,
    a_read_model_that_was_left_behind_goes_on,
    what_is_archived_meanwhile_is_not_copied_by_halves,
    a_log_that_was_archived_elsewhere_does_not_come_back_by_halves,
    a_source_that_is_opened_in_the_middle_keeps_the_target_closed,
    what_was_brought_before_is_replaced,
    a_source_that_was_opened_in_the_middle_is_copied_anew,
    a_source_whose_target_was_discarded_is_opened,
    a_source_that_has_moved_is_opened_only_if_the_target_is_lost,
    who_abandons_a_copy_that_waits_finds_the_source_open,
}

const STORE: EventStore = EventStore::new();

pub(super) fn options() -> CopyOptions {
    CopyOptions::to("elsewhere://db/shop")
}

pub(super) fn append<C: EventConnection>(conn: &mut C, name: &str, events: i64) -> Result<(), AppendError> {
    STORE.append(conn, &user(name)?, ExpectedVersion::Any, &counted(events)?).map(drop)
}

/// Notes what it is told, and stops.
struct Stops(Vec<(u64, i64)>);

impl CopyControl for Stops {
    fn caught_up(&mut self, _so_far: &Copied) -> Next {
        panic!("it was to stop before");
    }

    fn goes_on(&mut self, so_far: &Copied) -> bool {
        self.0.push((so_far.events(), so_far.last_position().get()));
        self.0.len() < 2
    }
}

fn a_copy_stops_behind_a_batch<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    // Four fill a batch.
    let large = || NewEvent::new("Large", &"x".repeat(2 << 20));
    for _ in 0..9 {
        STORE.append(&mut from, &user("alice")?, ExpectedVersion::Any, &[large()?])?;
    }
    let mut control = Stops(Vec::new());
    let stopped = copy_with(&mut from, &mut to, &options(), &mut control);
    assert!(matches!(stopped, Err(CopyError::Stopped)), "{stopped:?}");
    assert_eq!(control.0, [(4, 4), (8, 8)]);
    assert_eq!(count(&mut to, "events")?, 8);
    append(&mut from, "alice", 1)?;
    assert!(matches!(append(&mut to, "alice", 1), Err(AppendError::LogClosed(_))));

    assert_eq!(copy(&mut from, &mut to, &options(), |_| true)?.events(), 2);
    assert_eq!(exported(&mut to)?, exported(&mut from)?);
    Ok(())
}

/// Appends to the source each time that the target has caught up.
struct Follows<C> {
    source: C,
    positions: Vec<i64>,
}

impl<C: EventConnection> CopyControl for Follows<C> {
    fn caught_up(&mut self, so_far: &Copied) -> Next {
        self.positions.push(so_far.last_position().get());
        if self.positions.len() == 4 {
            return Next::Stop;
        }
        append(&mut self.source, "alice", 2).expect("the source is in use");
        Next::Follow
    }
}

fn a_target_follows<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 1)?;
    let mut control = Follows { source: db.connect()?, positions: Vec::new() };
    let left = copy_with(&mut from, &mut to, &options(), &mut control);
    assert!(matches!(left, Err(CopyError::NotSwitched)), "{left:?}");
    assert_eq!(control.positions, [1, 3, 5, 7]);
    // It is read as any log.
    assert_eq!(STORE.read_log(&mut to, &LogQuery::after(Position::START), 10)?.len(), 7);
    assert_eq!(STORE.version(&mut to, &user("alice")?)?, 7);
    let projection = Projection::new("built there", 1, |_: &mut T::Conn, _: &RecordedEvent| Ok(()));
    assert_eq!(projection.catch_up(&mut to)?.applied(), 7);

    append(&mut from, "alice", 1)?;
    assert_eq!(copy(&mut from, &mut to, &options(), |_| true)?.events(), 1);
    append(&mut to, "alice", 1)?;
    assert_eq!(projection.catch_up(&mut to)?.applied(), 2);
    Ok(())
}

/// The first time it cannot. It has connections of its own, as the application's tools do.
pub(super) struct MovesReadModels<S, T> {
    source: S,
    target: T,
    calls: u32,
}

impl<S, T> CopyControl for MovesReadModels<S, T>
where
    S: EventConnection + Connection + 'static,
    T: EventConnection,
{
    fn caught_up(&mut self, _so_far: &Copied) -> Next {
        assert_eq!(self.calls, 0, "it is asked again in the middle of the switch");
        Next::Switch
    }

    fn move_read_models(&mut self) -> Result<(), Box<dyn StdError + Send + Sync>> {
        self.calls += 1;
        assert!(matches!(append(&mut self.source, "alice", 1), Err(AppendError::LogClosed(_))));
        assert!(matches!(append(&mut self.target, "alice", 1), Err(AppendError::LogClosed(_))));
        assert!(matches!(kept().catch_up(&mut self.source), Err(ProjectionError::Owned { .. })));
        if self.calls == 1 { Err("the disk is full".into()) } else { Ok(()) }
    }
}

pub(super) type Moving<D> = (D, <D as TestDatabase>::Conn);
pub(super) type Switched<S, T> =
    (Moving<S>, Moving<T>, MovesReadModels<<S as TestDatabase>::Conn, <T as TestDatabase>::Conn>);

/// As it is when the read model could not be moved: both logs are closed.
pub(super) fn switched_in_part<S: TestDatabase, T: TestDatabase>() -> Result<Switched<S, T>> {
    let ((db, mut from), (other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 3)?;
    kept::<S::Conn>().catch_up(&mut from)?;
    let mut control = MovesReadModels { source: db.connect()?, target: other.connect()?, calls: 0 };
    let failed = copy_with(&mut from, &mut to, &options().keep("kept"), &mut control).unwrap_err();
    assert_eq!(failed.to_string(), "the read models were not copied: the disk is full");
    Ok(((db, from), (other, to), control))
}

pub(super) fn kept<C: EventConnection + Connection + 'static>() -> Projection<C> {
    Projection::new("kept", 1, |_: &mut C, _: &RecordedEvent| Ok(()))
}

fn read_models_move_while_both_logs_are_closed<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to), mut control) = switched_in_part::<S, T>()?;
    assert!(STORE.checkpoints(&mut to)?.is_empty(), "a checkpoint has come without its read model");

    copy_with(&mut from, &mut to, &options().keep("kept"), &mut control)?;
    assert_eq!(control.calls, 2);
    append(&mut to, "alice", 1)?;
    assert_eq!(kept::<T::Conn>().catch_up(&mut to)?.applied(), 1);
    // It moves back as well, and its workers with it.
    copy(&mut to, &mut from, &options().keep("kept"), |_| true)?;
    append(&mut from, "alice", 1)?;
    assert_eq!(kept::<S::Conn>().catch_up(&mut from)?.applied(), 1);
    Ok(())
}

fn a_difference_in_the_middle_of_the_switch_opens_the_source<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to), mut control) = switched_in_part::<S, T>()?;
    remove(&mut to, "global_position = 2")?;
    let found = copy_with(&mut from, &mut to, &options().keep("kept"), &mut control);
    assert!(matches!(found, Err(CopyError::Differs(_))), "{found:?}");
    append(&mut from, "alice", 1)?;
    assert_eq!(kept::<S::Conn>().catch_up(&mut from)?.applied(), 1);
    assert!(matches!(append(&mut to, "alice", 1), Err(AppendError::LogClosed(_))));
    Ok(())
}

fn what_was_switched_is_abandoned<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to), _) = switched_in_part::<S, T>()?;
    assert!(abandon(&mut from, &mut to, LONG)?);
    append(&mut from, "alice", 1)?;
    assert_eq!(kept::<S::Conn>().catch_up(&mut from)?.applied(), 1);
    assert!(matches!(append(&mut to, "alice", 1), Err(AppendError::LogClosed(_))));
    // What was frozen for something else stays frozen.
    freeze(&mut from, "a backup", LONG)?;
    assert!(abandon(&mut from, &mut to, LONG)?);
    assert!(matches!(append(&mut from, "alice", 1), Err(AppendError::LogClosed(_))));
    Ok(())
}

/// Does something while it is asked, and then wants to switch.
struct Meanwhile<F>(F);

impl<F: FnMut() -> Result> CopyControl for Meanwhile<F> {
    fn caught_up(&mut self, _so_far: &Copied) -> Next {
        (self.0)().expect("it is possible");
        Next::Switch
    }
}

fn a_projection_that_has_begun_meanwhile_is_named<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 3)?;
    let mut begins = Meanwhile(|| {
        kept::<S::Conn>().catch_up(&mut db.connect()?)?;
        Ok(())
    });
    match copy_with(&mut from, &mut to, &options(), &mut begins) {
        Err(CopyError::Undecided { projections, .. }) => assert_eq!(projections, ["kept"]),
        other => panic!("{other:?}"),
    }
    append(&mut from, "alice", 1)?;
    Ok(())
}

fn a_source_that_is_frozen_meanwhile_is_left_alone<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 3)?;
    let mut freezes = Meanwhile(|| {
        freeze(&mut db.connect()?, "a backup", LONG)?;
        Ok(())
    });
    match copy_with(&mut from, &mut to, &options(), &mut freezes) {
        Err(CopyError::SourceClosed(closed)) => assert!(closed.note().contains("a backup")),
        other => panic!("{other:?}"),
    }
    assert!(matches!(append(&mut to, "alice", 1), Err(AppendError::LogClosed(_))));
    Ok(())
}

/// Otherwise both logs could be open.
fn who_has_abandoned_a_copy_stops_it_each_time<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((db, mut from), (other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 3)?;
    for _ in 0..3 {
        let mut abandons = Meanwhile(|| {
            assert!(abandon(&mut db.connect()?, &mut other.connect()?, LONG)?);
            Ok(())
        });
        let stopped = copy_with(&mut from, &mut to, &options(), &mut abandons);
        assert!(matches!(stopped, Err(CopyError::Overtaken)), "{stopped:?}");
        assert!(matches!(append(&mut to, "alice", 1), Err(AppendError::LogClosed(_))));
        append(&mut from, "alice", 1)?;
    }
    assert_eq!(copy(&mut from, &mut to, &options(), |_| true)?.last_position().get(), 6);
    Ok(())
}

/// The move has taken it from its workers, and the log is back.
fn a_read_model_that_was_left_behind_goes_on<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 3)?;
    kept::<S::Conn>().catch_up(&mut from)?;
    copy(&mut from, &mut to, &options().keep("kept"), |_| true)?;
    append(&mut to, "alice", 2)?;
    copy(&mut to, &mut from, &options(), |_| true)?;
    assert_eq!(kept::<S::Conn>().catch_up(&mut from)?.applied(), 2);
    Ok(())
}

/// Her three events, before the one of Bob.
pub(super) fn archive_alice<C: EventConnection>(conn: &mut C) -> Result {
    let mut file = Vec::new();
    export_archive(conn, Position::new(4)?, &mut file)?;
    assert_eq!(remove_archived(conn, || Ok(&*file))?.events(), 3);
    Ok(())
}

/// Otherwise the target would have events, and say that they were archived.
fn what_is_archived_meanwhile_is_not_copied_by_halves<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 3)?;
    append(&mut from, "bob", 1)?;
    let mut archives = Meanwhile(|| archive_alice(&mut db.connect()?));
    match copy_with(&mut from, &mut to, &options(), &mut archives) {
        Err(CopyError::ArchivedSince { position, .. }) => assert_eq!(position.get(), 1),
        other => panic!("{other:?}"),
    }
    append(&mut from, "bob", 1)?;
    assert!(matches!(append(&mut to, "bob", 1), Err(AppendError::LogClosed(_))));

    assert!(discard(&mut to)?);
    assert_eq!(copy(&mut from, &mut to, &options(), |_| true)?.events(), 2);
    assert_eq!(exported(&mut to)?, exported(&mut from)?);
    Ok(())
}

fn a_log_that_was_archived_elsewhere_does_not_come_back_by_halves<S: TestDatabase, T: TestDatabase>() -> Result
{
    let ((_db, mut from), (_other, mut to), (_third, mut third)) =
        (empty::<S>()?, empty::<T>()?, empty::<S>()?);
    append(&mut from, "alice", 3)?;
    append(&mut from, "bob", 1)?;
    copy(&mut from, &mut to, &options(), |_| true)?;
    archive_alice(&mut to)?;
    match copy(&mut to, &mut from, &options(), |_| panic!("nothing was to be copied")) {
        Err(CopyError::ArchivedSince { position, .. }) => assert_eq!(position.get(), 1),
        other => panic!("{other:?}"),
    }
    append(&mut to, "bob", 1)?;
    assert_eq!(copy(&mut to, &mut third, &options(), |_| true)?.events(), 2);
    assert_eq!(exported(&mut third)?, exported(&mut to)?);
    Ok(())
}

/// Opens the source while the read models move, and appends to it.
struct Opens<S>(S);

impl<S: EventConnection> CopyControl for Opens<S> {
    fn caught_up(&mut self, _so_far: &Copied) -> Next {
        Next::Switch
    }

    fn move_read_models(&mut self) -> Result<(), Box<dyn StdError + Send + Sync>> {
        assert!(unfreeze(&mut self.0, LONG)?);
        Ok(append(&mut self.0, "alice", 1)?)
    }
}

/// Otherwise both logs would be open, and the event in one of them.
fn a_source_that_is_opened_in_the_middle_keeps_the_target_closed<S: TestDatabase, T: TestDatabase>() -> Result
{
    let ((db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 3)?;
    kept::<S::Conn>().catch_up(&mut from)?;
    let opened = copy_with(&mut from, &mut to, &options().keep("kept"), &mut Opens(db.connect()?));
    assert!(matches!(opened, Err(CopyError::SourceOpened)), "{opened:?}");
    assert!(matches!(append(&mut to, "alice", 1), Err(AppendError::LogClosed(_))));
    assert_eq!(kept::<S::Conn>().catch_up(&mut from)?.applied(), 1, "it is its worker's again");

    assert_eq!(copy(&mut from, &mut to, &options().keep("kept"), |_| true)?.events(), 1);
    assert_eq!(kept::<T::Conn>().catch_up(&mut to)?.applied(), 0);
    Ok(())
}

/// What was brought is not doubled, and what was used there again or is not kept any more does not stay.
fn what_was_brought_before_is_replaced<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    fill(&mut from)?;
    let keep_all = options().keep("fails on the third").keep("own");
    let opened = copy_with(&mut from, &mut to, &keep_all, &mut Opens(db.connect()?));
    assert!(matches!(opened, Err(CopyError::SourceOpened)), "{opened:?}");
    assert!(count(&mut to, "parked_events")? > 0);
    match copy(&mut from, &mut to, &options().keep("own"), |_| true) {
        Err(CopyError::Undecided { projections, .. }) => assert_eq!(projections, ["fails on the third"]),
        other => panic!("{other:?}"),
    }
    copy(&mut from, &mut to, &options().keep("own").rebuild("fails on the third"), |_| true)?;
    assert_eq!(count(&mut to, "append_keys")?, count(&mut from, "append_keys")?);
    assert_eq!(count(&mut to, "parked_events")?, 0);
    assert_eq!(count(&mut to, "projection_checkpoints")?, 1);
    Ok(())
}

/// A transaction is in the way of the switch.
fn who_abandons_a_copy_that_waits_finds_the_source_open<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((db, mut from), (other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 3)?;
    let mut hanging = db.connect()?;
    let ((asks, is_asked), (answers, answer)) = (mpsc::channel(), mpsc::channel::<()>());
    thread::scope(|scope| -> Result {
        let (from, to) = (&mut from, &mut to);
        let copying = scope.spawn(move || {
            let mut waits = Meanwhile(|| {
                asks.send(())?;
                Ok(answer.recv()?)
            });
            let copied = copy_with(from, to, &options().patience(LONG), &mut waits);
            assert!(matches!(copied, Err(CopyError::Overtaken)), "{copied:?}");
        });
        is_asked.recv()?;
        begin(&mut hanging)?;
        append(&mut hanging, "alice", 1)?;
        answers.send(())?;
        thread::sleep(Duration::from_millis(300)); // time for the copy to wait for that transaction
        let (mut source, mut target) = (db.connect()?, other.connect()?);
        // On SQLite it waits, too, once the target knows.
        let abandoning = scope.spawn(move || drop(abandon(&mut source, &mut target, LONG)));
        let mut target = other.connect()?;
        eventually("the copy is abandoned", || {
            let closed = STORE.log_closed(&mut target)?;
            Ok(closed.is_some_and(|closed| closed.note().contains("\"is_abandoned\":true")))
        })?;
        commit(&mut hanging)?;
        copying.join().expect("it does not panic");
        abandoning.join().expect("it does not panic");
        Ok(())
    })?;
    append(&mut from, "alice", 1)?;
    Ok(())
}

/// Its read model and its keys have changed since they were brought.
fn a_source_that_was_opened_in_the_middle_is_copied_anew<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to), _) = switched_in_part::<S, T>()?;
    assert!(unfreeze(&mut from, LONG)?);
    append(&mut from, "alice", 1)?;
    assert_eq!(kept::<S::Conn>().catch_up(&mut from)?.applied(), 1);
    copy(&mut from, &mut to, &options().keep("kept"), |_| true)?;
    assert_eq!(kept::<T::Conn>().catch_up(&mut to)?.applied(), 0);
    Ok(())
}

fn a_source_whose_target_was_discarded_is_opened<S: TestDatabase, T: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to), _) = switched_in_part::<S, T>()?;
    assert!(discard(&mut to)?);
    assert!(abandon(&mut from, &mut to, LONG)?);
    append(&mut from, "alice", 1)?;
    assert_eq!(kept::<S::Conn>().catch_up(&mut from)?.applied(), 1);
    assert!(!abandon(&mut from, &mut to, LONG)?);
    Ok(())
}

fn a_source_that_has_moved_is_opened_only_if_the_target_is_lost<S: TestDatabase, T: TestDatabase>() -> Result
{
    let ((_db, mut from), (_other, mut to)) = (empty::<S>()?, empty::<T>()?);
    append(&mut from, "alice", 3)?;
    kept::<S::Conn>().catch_up(&mut from)?;
    copy(&mut from, &mut to, &options().keep("kept"), |_| true)?;
    match unfreeze(&mut from, LONG) {
        Err(error @ FreezeError::HasMoved(_)) => assert!(error.to_string().contains("elsewhere://db/shop")),
        other => panic!("{other:?}"),
    }
    assert!(matches!(append(&mut from, "alice", 1), Err(AppendError::LogClosed(_))));
    assert!(reclaim(&mut from, LONG)?);
    append(&mut from, "alice", 1)?;
    assert_eq!(kept::<S::Conn>().catch_up(&mut from)?.applied(), 1);
    assert!(!reclaim(&mut from, LONG)?);
    Ok(())
}
