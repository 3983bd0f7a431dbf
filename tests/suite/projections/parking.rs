//! Events that are put aside, and those that are held back behind them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use chrono::{SubsecRound, Utc};
use diesel_event_store::projection::{
    self, HandlerError, OnFailure, ParkReason, ParkedEvent, Projection, ProjectionError,
};
use diesel_event_store::{EventConnection, EventStore, Position, chrono};
use test_support::{LONG, Result, TestDatabase, eventually, user};

use super::{Fault, NAME, Script, append, application, applied, insert, runner, status};

tests! {
    what_is_known_of_a_parked_event_is_recorded,
    parked_events_are_read_page_by_page,
    every_kind_of_failure_is_parked_for_a_reason_of_its_own,
    later_events_of_the_aggregate_are_held_back_and_others_go_on,
    an_event_that_is_parked_alone_holds_nothing_back,
    what_is_held_back_follows_in_order_once_a_retry_succeeds,
    a_retry_that_fails_counts_and_lets_nothing_through,
    a_retry_that_fails_otherwise_records_how,
    a_held_event_that_fails_in_turn_holds_the_rest_back,
    a_held_event_never_lets_later_ones_pass_whatever_the_policy,
    a_held_event_that_is_to_be_skipped_leaves_no_trace,
    what_waits_behind_an_event_that_is_then_parked_alone_follows,
    a_handler_that_parks_holds_back_whatever_the_policy,
    what_was_held_back_waits_although_the_policy_has_changed,
    what_is_discarded_is_passed_over_for_good,
    a_held_event_can_be_discarded_before_the_one_it_waits_for,
    a_retry_of_a_held_event_waits_for_the_one_before_it,
    the_order_outlasts_the_worker,
    the_order_outlasts_a_change_of_the_partitions,
    a_runner_does_what_is_asked_for,
    a_retry_of_a_held_event_is_answered_by_a_runner,
    a_runner_that_is_stopped_serves_no_further_event,
    what_is_discarded_while_a_retry_fails_is_discarded,
    what_is_rewound_while_it_is_parked_is_applied_and_holds_nothing_back,
}

const SOON: Duration = Duration::from_millis(1);

fn parking<C: EventConnection>(script: &Script) -> Projection<C> {
    script.projection().retries(1, SOON).on_failure(OnFailure::Park)
}

fn parked<C: EventConnection>(conn: &mut C) -> Result<Vec<ParkedEvent>, ProjectionError> {
    projection::parked(conn, (NAME, 1))
}

/// What is parked, and why: `alice 2`, say.
fn parked_names<C: EventConnection>(conn: &mut C) -> Result<Vec<(String, ParkReason)>> {
    let mut names = Vec::new();
    for parked in parked(conn)? {
        let event = EventStore::new().read_event(conn, parked.event_id())?.ok_or("it is in the log")?;
        assert_eq!((event.position(), event.stream()), (parked.position(), parked.stream()));
        names.push((super::name_of(&event), parked.reason()));
    }
    Ok(names)
}

fn are_parked<C: EventConnection>(conn: &mut C, expected: &[(&str, ParkReason)]) -> Result {
    let expected: Vec<_> = expected.iter().map(|(name, reason)| ((*name).to_owned(), *reason)).collect();
    assert_eq!(parked_names(conn)?, expected);
    Ok(())
}

fn first_parked<C: EventConnection>(conn: &mut C) -> Result<Position> {
    Ok(parked(conn)?.first().ok_or("nothing is parked")?.position())
}

fn what_is_known_of_a_parked_event_is_recorded<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let appended = append(&mut conn, "alice", 3)?;
    let before = Utc::now().trunc_subsecs(6);
    parking(&Script::with([("alice 2", Fault::Fails)])).catch_up(&mut conn)?;

    let all = parked(&mut db.connect()?)?;
    let [failed, held] = &all[..] else { panic!("{all:?}") };
    assert_eq!(failed.position(), appended.events()[1].position());
    assert_eq!(failed.event_id(), appended.events()[1].id());
    assert_eq!(failed.stream(), &user("alice")?);
    assert_eq!((failed.reason(), failed.attempts()), (ParkReason::Failed, 2));
    assert_eq!(failed.error(), "alice 2 is too much");
    assert!(before <= failed.parked_at() && failed.parked_at() <= Utc::now());
    assert!(!failed.is_requested());

    assert_eq!(held.event_id(), appended.events()[2].id());
    assert_eq!((held.reason(), held.attempts()), (ParkReason::Held, 0));
    assert_eq!(status(&mut conn)?.parked(), 2);
    Ok(())
}

fn parked_events_are_read_page_by_page<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 5)?;
    parking(&Script::with([("alice 1", Fault::Fails)])).catch_up(&mut conn)?;
    let all: Vec<Position> = parked(&mut conn)?.iter().map(ParkedEvent::position).collect();
    let mut page = |after| -> Result<Vec<Position>> {
        let page = projection::parked_after(&mut conn, (NAME, 1), after, 2)?;
        Ok(page.iter().map(ParkedEvent::position).collect())
    };
    assert_eq!(all.len(), 5);
    assert_eq!(page(Position::START)?, all[..2]);
    assert_eq!(page(all[1])?, all[2..4]);
    assert_eq!(page(all[3])?, all[4..]);
    assert_eq!(page(all[4])?, []);
    let none = projection::parked_after(&mut conn, (NAME, 1), Position::START, 0);
    assert!(matches!(none, Err(ProjectionError::Invalid(_))), "{none:?}");
    Ok(())
}

fn every_kind_of_failure_is_parked_for_a_reason_of_its_own<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    for user in ["alice", "bob", "carol", "dave"] {
        append(&mut conn, user, 1)?;
    }
    let script = Script::with([
        ("alice 1", Fault::Fails),
        ("bob 1", Fault::Panics),
        ("carol 1", Fault::IsUndecodable),
        ("dave 1", Fault::IsUnknown),
    ]);
    let users = parking(&script).on_undecodable(OnFailure::Park).on_unknown_event_type(OnFailure::ParkAlone);
    assert_eq!(users.catch_up(&mut conn)?.applied(), 0);
    let reasons = [
        ("alice 1", ParkReason::Failed),
        ("bob 1", ParkReason::Failed),
        ("carol 1", ParkReason::Undecodable),
        ("dave 1", ParkReason::UnknownEventType),
    ];
    are_parked(&mut conn, &reasons)?;
    let attempts: Vec<_> = parked(&mut conn)?.iter().map(ParkedEvent::attempts).collect();
    assert_eq!(attempts, [2, 2, 1, 1]);
    Ok(())
}

fn later_events_of_the_aggregate_are_held_back_and_others_go_on<D: TestDatabase>() -> Result {
    for batch_size in [1, 2, 3, 100] {
        let (_db, mut conn) = application::<D>()?;
        append(&mut conn, "alice", 2)?;
        append(&mut conn, "bob", 1)?;
        append(&mut conn, "alice", 1)?;
        append(&mut conn, "bob", 1)?;
        let users = parking(&Script::with([("alice 1", Fault::Fails)])).batch_size(batch_size);
        assert_eq!(users.catch_up(&mut conn)?.applied(), 2);
        assert_eq!(applied(&mut conn)?, ["bob 1", "bob 2"]);
        let held =
            [("alice 1", ParkReason::Failed), ("alice 2", ParkReason::Held), ("alice 3", ParkReason::Held)];
        are_parked(&mut conn, &held)?;
        assert_eq!(status(&mut conn)?.positions_behind(), 0);
    }
    Ok(())
}

fn an_event_that_is_parked_alone_holds_nothing_back<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 3)?;
    let script = Script::with([("alice 2", Fault::Fails)]);
    let users = script.projection().retries(0, SOON).on_failure(OnFailure::ParkAlone);
    assert_eq!(users.catch_up(&mut conn)?.applied(), 2);
    append(&mut conn, "alice", 1)?;
    assert_eq!(users.catch_up(&mut conn)?.applied(), 1);
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 3", "alice 4"]);
    are_parked(&mut conn, &[("alice 2", ParkReason::Failed)])?;

    script.mend();
    let position = first_parked(&mut conn)?;
    assert!(projection::retry_parked(&mut conn, (NAME, 1), position)?);
    users.catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 3", "alice 4", "alice 2"]);
    are_parked(&mut conn, &[])
}

fn what_is_held_back_follows_in_order_once_a_retry_succeeds<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 4)?;
    let script = Script::with([("alice 2", Fault::Fails)]);
    let users = parking(&script);
    users.catch_up(&mut conn)?;
    script.mend();
    let position = first_parked(&mut conn)?;
    assert!(projection::retry_parked(&mut conn, (NAME, 1), position)?);
    assert!(parked(&mut conn)?[0].is_requested());
    append(&mut conn, "alice", 1)?;
    users.catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 3", "alice 4", "alice 5"]);
    are_parked(&mut conn, &[])
}

fn a_retry_that_fails_counts_and_lets_nothing_through<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 3)?;
    let script = Script::with([("alice 1", Fault::Fails)]);
    let users = parking(&script);
    users.catch_up(&mut conn)?;
    script.given();
    let position = first_parked(&mut conn)?;
    for attempts in [3, 4] {
        assert!(projection::retry_parked(&mut conn, (NAME, 1), position)?);
        users.catch_up(&mut conn)?;
        assert_eq!(script.given(), ["alice 1"]);
        let parked = parked(&mut conn)?;
        assert_eq!((parked.len(), parked[0].attempts(), parked[0].is_requested()), (3, attempts, false));
    }
    users.catch_up(&mut conn)?;
    assert!(script.given().is_empty());
    assert!(applied(&mut conn)?.is_empty());
    Ok(())
}

fn a_retry_that_fails_otherwise_records_how<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    parking(&Script::with([("alice 1", Fault::Fails)])).catch_up(&mut conn)?;
    let position = first_parked(&mut conn)?;
    assert!(projection::retry_parked(&mut conn, (NAME, 1), position)?);
    let unknown = Script::with([("alice 1", Fault::IsUnknown)]);
    parking(&unknown).on_unknown_event_type(OnFailure::Park).catch_up(&mut conn)?;
    are_parked(&mut conn, &[("alice 1", ParkReason::UnknownEventType), ("alice 2", ParkReason::Held)])?;
    let error = parked(&mut conn)?[0].error().to_owned();
    assert!(error.contains("\"Counted\""), "{error}");
    Ok(())
}

fn a_held_event_that_fails_in_turn_holds_the_rest_back<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 4)?;
    let script = Script::with([("alice 1", Fault::Fails), ("alice 3", Fault::Fails)]);
    let users = parking(&script);
    users.catch_up(&mut conn)?;
    let mended = parking(&Script::with([("alice 3", Fault::Fails)]));
    let position = first_parked(&mut conn)?;
    assert!(projection::retry_parked(&mut conn, (NAME, 1), position)?);
    mended.catch_up(&mut conn)?;
    append(&mut conn, "alice", 1)?;
    mended.catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2"]);
    let left =
        [("alice 3", ParkReason::Failed), ("alice 4", ParkReason::Held), ("alice 5", ParkReason::Held)];
    are_parked(&mut conn, &left)
}

/// What a held event fails at has a policy too: to stop is not to let later events pass.
fn a_held_event_never_lets_later_ones_pass_whatever_the_policy<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 3)?;
    let faults = [("alice 1", Fault::FailsOnce), ("alice 2", Fault::IsUndecodable)];
    let users = Script::with(faults).projection().retries(0, SOON).on_failure(OnFailure::Park);
    users.batch_size(1).catch_up(&mut conn)?;
    let position = first_parked(&mut conn)?;
    assert!(projection::retry_parked(&mut conn, (NAME, 1), position)?);

    let users = Script::with([("alice 2", Fault::IsUndecodable)]).projection().on_failure(OnFailure::Park);
    users.catch_up(&mut conn)?;
    append(&mut conn, "alice", 1)?;
    users.catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["alice 1"]);
    let left =
        [("alice 2", ParkReason::Undecodable), ("alice 3", ParkReason::Held), ("alice 4", ParkReason::Held)];
    are_parked(&mut conn, &left)
}

fn a_held_event_that_is_to_be_skipped_leaves_no_trace<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 3)?;
    let skipping = |script: Script| parking(&script).on_undecodable(OnFailure::Skip);
    let faults = [("alice 1", Fault::Fails), ("alice 2", Fault::IsUndecodable)];
    skipping(Script::with(faults)).catch_up(&mut conn)?;
    let position = first_parked(&mut conn)?;
    assert!(projection::retry_parked(&mut conn, (NAME, 1), position)?);
    skipping(Script::with([("alice 2", Fault::IsUndecodable)])).catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 3"]);
    are_parked(&mut conn, &[])
}

/// A held event, or one that is retried, fails in a way for which the policy is to park it alone.
fn what_waits_behind_an_event_that_is_then_parked_alone_follows<D: TestDatabase>() -> Result {
    for then_unknown in ["alice 1", "alice 2"] {
        let (_db, mut conn) = application::<D>()?;
        append(&mut conn, "alice", 3)?;
        let users = |script: &Script| parking(script).on_unknown_event_type(OnFailure::ParkAlone);
        users(&Script::with([("alice 1", Fault::Fails)])).catch_up(&mut conn)?;
        let position = first_parked(&mut conn)?;
        assert!(projection::retry_parked(&mut conn, (NAME, 1), position)?);
        let script = Script::with([(then_unknown, Fault::IsUnknown)]);
        users(&script).catch_up(&mut conn)?;
        are_parked(&mut conn, &[(then_unknown, ParkReason::UnknownEventType)])?;
        let others: Vec<_> =
            ["alice 1", "alice 2", "alice 3"].into_iter().filter(|name| *name != then_unknown).collect();
        assert_eq!(applied(&mut conn)?, others);
        append(&mut conn, "alice", 1)?;
        assert_eq!(users(&script).catch_up(&mut conn)?.applied(), 1);
    }
    Ok(())
}

fn a_handler_that_parks_holds_back_whatever_the_policy<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let users = || {
        let users = Projection::new(NAME, 1, |conn: &mut D::Conn, event| match event.version() {
            1 => Err(HandlerError::park("a person has to look at it")),
            _ => insert(conn, event),
        });
        users.on_failure(OnFailure::ParkAlone)
    };
    users().catch_up(&mut conn)?;
    append(&mut conn, "alice", 1)?;
    users().catch_up(&mut conn)?;
    assert!(applied(&mut conn)?.is_empty());
    let position = first_parked(&mut conn)?;
    assert!(projection::discard_parked(&mut conn, (NAME, 1), position)?);
    users().catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["alice 2", "alice 3"]);
    are_parked(&mut conn, &[])
}

fn what_was_held_back_waits_although_the_policy_has_changed<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let script = Script::with([("alice 1", Fault::Fails)]);
    parking(&script).catch_up(&mut conn)?;
    let alone = || script.projection().retries(0, SOON).on_failure(OnFailure::ParkAlone);
    append(&mut conn, "alice", 1)?;
    alone().catch_up(&mut conn)?;
    assert!(applied(&mut conn)?.is_empty());
    script.mend();
    let position = first_parked(&mut conn)?;
    assert!(projection::retry_parked(&mut conn, (NAME, 1), position)?);
    alone().catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 3"]);
    are_parked(&mut conn, &[])
}

fn what_is_discarded_is_passed_over_for_good<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 3)?;
    let script = Script::with([("alice 2", Fault::Fails)]);
    let users = parking(&script);
    users.catch_up(&mut conn)?;
    script.given();
    let position = first_parked(&mut conn)?;
    assert!(projection::discard_parked(&mut conn, (NAME, 1), position)?);
    users.catch_up(&mut conn)?;
    assert_eq!(script.given(), ["alice 3"]);
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 3"]);
    are_parked(&mut conn, &[])?;
    assert!(!projection::discard_parked(&mut conn, (NAME, 1), position)?);
    assert!(!projection::retry_parked(&mut conn, (NAME, 1), position)?);
    Ok(())
}

fn a_held_event_can_be_discarded_before_the_one_it_waits_for<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 3)?;
    let script = Script::with([("alice 1", Fault::Fails)]);
    let users = parking(&script);
    users.catch_up(&mut conn)?;
    let all = parked(&mut conn)?;
    assert!(projection::discard_parked(&mut conn, (NAME, 1), all[1].position())?);
    users.catch_up(&mut conn)?;
    are_parked(&mut conn, &[("alice 1", ParkReason::Failed), ("alice 3", ParkReason::Held)])?;
    assert!(applied(&mut conn)?.is_empty());
    Ok(())
}

fn a_retry_of_a_held_event_waits_for_the_one_before_it<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let users = parking(&Script::with([("alice 1", Fault::Fails)]));
    users.catch_up(&mut conn)?;
    let held = parked(&mut conn)?[1].position();
    assert!(projection::retry_parked(&mut conn, (NAME, 1), held)?);
    users.catch_up(&mut conn)?;
    assert!(applied(&mut conn)?.is_empty());
    are_parked(&mut conn, &[("alice 1", ParkReason::Failed), ("alice 2", ParkReason::Held)])?;
    assert!(!parked(&mut conn)?[1].is_requested(), "it follows by itself");
    Ok(())
}

fn the_order_outlasts_the_worker<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let script = Script::with([("alice 2", Fault::Fails)]);
    for _ in 0..4 {
        append(&mut conn, "alice", 1)?;
        append(&mut conn, "bob", 1)?;
        // Each is a worker of its own, which knows only what is in the tables.
        parking(&script).catch_up(&mut db.connect()?)?;
    }
    assert_eq!(applied(&mut conn)?, ["alice 1", "bob 1", "bob 2", "bob 3", "bob 4"]);
    script.mend();
    parking(&script).catch_up(&mut db.connect()?)?;
    let held =
        [("alice 2", ParkReason::Failed), ("alice 3", ParkReason::Held), ("alice 4", ParkReason::Held)];
    are_parked(&mut conn, &held)?;

    let position = first_parked(&mut conn)?;
    assert!(projection::retry_parked(&mut conn, (NAME, 1), position)?);
    append(&mut conn, "alice", 1)?;
    parking(&script).catch_up(&mut db.connect()?)?;
    assert_eq!(applied(&mut conn)?[5..], ["alice 2", "alice 3", "alice 4", "alice 5"]);
    are_parked(&mut conn, &[])
}

fn the_order_outlasts_a_change_of_the_partitions<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let script = Script::with([("alice 1", Fault::Fails)]);
    append(&mut conn, "alice", 1)?;
    parking(&script).catch_up(&mut conn)?;
    for partitions in [5, 2] {
        projection::repartition(&mut conn, (NAME, 1), partitions)?;
        append(&mut conn, "alice", 1)?;
        append(&mut conn, "bob", 1)?;
        parking(&script).catch_up(&mut conn)?;
    }
    script.mend();
    let position = first_parked(&mut conn)?;
    assert!(projection::retry_parked(&mut conn, (NAME, 1), position)?);
    parking(&script).catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["bob 1", "bob 2", "alice 1", "alice 2", "alice 3"]);
    are_parked(&mut conn, &[])
}

fn a_runner_does_what_is_asked_for<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 3)?;
    let script = Script::with([("alice 1", Fault::Fails)]);
    let running = runner(&db).projection(parking(&script)).start()?;
    eventually("all are parked", || Ok(parked(&mut conn)?.len() == 3))?;
    append(&mut conn, "alice", 1)?;
    append(&mut conn, "bob", 1)?;
    eventually("the others go on", || Ok(applied(&mut conn)? == ["bob 1"]))?;
    eventually("the new one is held", || Ok(parked(&mut conn)?.len() == 4))?;

    let second = parked(&mut conn)?[1].position();
    assert!(projection::discard_parked(&mut conn, (NAME, 1), second)?);
    eventually("it is discarded", || Ok(parked(&mut conn)?.len() == 3))?;
    script.mend();
    let first = first_parked(&mut conn)?;
    assert!(projection::retry_parked(&mut conn, (NAME, 1), first)?);
    eventually("all are applied", || Ok(parked(&mut conn)?.is_empty()))?;
    assert_eq!(applied(&mut conn)?, ["bob 1", "alice 1", "alice 3", "alice 4"]);
    append(&mut conn, "alice", 1)?;
    eventually("nothing is held back any more", || Ok(applied(&mut conn)?.len() == 5))?;
    Ok(running.stop()?)
}

fn a_retry_of_a_held_event_is_answered_by_a_runner<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let script = Script::with([("alice 1", Fault::Fails)]);
    let running = runner(&db).projection(parking(&script)).start()?;
    eventually("both are parked", || Ok(parked(&mut conn)?.len() == 2))?;
    let held = parked(&mut conn)?[1].position();
    assert!(projection::retry_parked(&mut conn, (NAME, 1), held)?);
    eventually("it is answered", || Ok(!parked(&mut conn)?[1].is_requested()))?;
    are_parked(&mut conn, &[("alice 1", ParkReason::Failed), ("alice 2", ParkReason::Held)])?;
    Ok(running.stop()?)
}

/// The operator sees that the retry does not get on, and changes his mind.
/// Far more are held back than are served before it is asked to stop.
fn a_runner_that_is_stopped_serves_no_further_event<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1000)?;
    parking(&Script::with([("alice 1", Fault::Fails)])).batch_size(1000).catch_up(&mut conn)?;
    assert_eq!(parked(&mut conn)?.len(), 1000);
    let first = first_parked(&mut conn)?;
    projection::retry_parked(&mut conn, (NAME, 1), first)?;

    let (begun, has_begun) = mpsc::channel();
    let slow = Projection::new(NAME, 1, move |conn: &mut D::Conn, event| {
        let _ = begun.send(());
        thread::sleep(Duration::from_millis(20));
        insert(conn, event)
    });
    let running = runner(&db).projection(slow).start()?;
    has_begun.recv_timeout(LONG)?;
    running.stop()?;
    assert_eq!(applied(&mut conn)?.len() + parked(&mut conn)?.len(), 1000);
    assert!(!parked(&mut conn)?.is_empty(), "it has served them all first");
    Ok(())
}

fn what_is_discarded_while_a_retry_fails_is_discarded<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let (calls, is_decided) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let (counted, decided) = (Arc::clone(&calls), Arc::clone(&is_decided));
    let failing = Projection::new(NAME, 1, move |_: &mut D::Conn, _| {
        match (counted.fetch_add(1, Ordering::SeqCst), decided.load(Ordering::SeqCst)) {
            (0, _) | (_, true) => Err(HandlerError::failed("never")),
            _ => Err(HandlerError::retry("not yet")),
        }
    });
    let failing = failing.retries(0, SOON).on_failure(OnFailure::Park);
    let running = runner(&db).projection(failing).start()?;
    eventually("it is parked", || {
        Ok(projection::parked(&mut conn, (NAME, 1)).is_ok_and(|parked| !parked.is_empty()))
    })?;
    let position = first_parked(&mut conn)?;
    assert!(projection::retry_parked(&mut conn, (NAME, 1), position)?);
    eventually("it is tried", || Ok(calls.load(Ordering::SeqCst) > 1))?;
    assert!(projection::discard_parked(&mut conn, (NAME, 1), position)?);
    is_decided.store(true, Ordering::SeqCst);
    eventually("it is discarded", || Ok(parked(&mut conn)?.is_empty()))?;
    Ok(running.stop()?)
}

fn what_is_rewound_while_it_is_parked_is_applied_and_holds_nothing_back<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let script = Script::with([("alice 1", Fault::Fails)]);
    let running = runner(&db).projection(parking(&script).lease(Duration::from_secs(3))).start()?;
    eventually("both are parked", || Ok(parked(&mut conn)?.len() == 2))?;
    script.mend();
    EventStore::new().rewind_checkpoint(&mut conn, NAME, Position::START)?;
    eventually("both are applied", || Ok(applied(&mut conn)? == ["alice 1", "alice 2"]))?;
    are_parked(&mut conn, &[])?;
    append(&mut conn, "alice", 1)?;
    eventually("nothing is held back", || Ok(applied(&mut conn)?.len() == 3))?;
    Ok(running.stop()?)
}
