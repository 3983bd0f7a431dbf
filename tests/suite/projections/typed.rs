//! A projection of typed events: which are read from the log, what its handler is given, and what is done
//! about an event that cannot be read.

use diesel_event_store::projection::{
    self, FailureKind, HandlerError, OnFailure, Projection, ProjectionError,
};
use diesel_event_store::{
    Appended, Event, EventConnection, EventFilter, EventStore, ExpectedVersion, NewEvent, RecordedEvent,
    UpcastError,
};
use serde_json::Value;
use test_support::{Result, TestDatabase, execute, user};

use super::{NAME, application, applied};

tests! {
    the_handler_is_given_the_typed_event,
    the_names_of_the_enum_are_all_that_is_read,
    an_older_version_arrives_as_the_newest,
    a_retired_event_is_passed_over,
    a_split_event_arrives_in_parts,
    of_a_split_event_all_parts_are_applied_or_none,
    an_enum_that_takes_others_is_given_every_event,
    what_this_program_does_not_know_is_an_unknown_type,
    what_cannot_be_read_is_undecodable,
    an_event_that_cannot_be_read_is_not_tried_again,
}

#[derive(Debug, Event)]
#[event(retired(name = "UserSeen"))]
#[event(retired(name = "UserMovedAndRenamed", split = split))]
enum UserEvent {
    #[event(name = "UserRenamed", alias = "UserTitled", version = 2)]
    #[event(upcast(version = 1, json = from_text))]
    Renamed { to: String },
    #[event(name = "UserMoved")]
    Moved,
}

/// Version 1 was just the text.
fn from_text(old: Value, _: &RecordedEvent) -> std::result::Result<Value, UpcastError> {
    match old {
        Value::String(to) => Ok(serde_json::json!({ "to": to })),
        other => Err(format!("{other} is no name").into()),
    }
}

fn split(recorded: &RecordedEvent) -> std::result::Result<Vec<UserEvent>, UpcastError> {
    Ok(vec![UserEvent::Moved, UserEvent::Renamed { to: recorded.payload()? }])
}

#[derive(Debug, Event)]
enum Anything {
    #[event(flatten)]
    User(UserEvent),
    #[event(other)]
    Other,
}

/// A read model of what its handler was given, and of which event.
fn seen<C: EventConnection, E: Event + std::fmt::Debug>() -> Projection<C> {
    Projection::typed(NAME, 1, |conn: &mut C, event: E, recorded| {
        let row = format!("{} {event:?}", recorded.version()).replace('"', "");
        execute(conn, &format!("INSERT INTO applied (name) VALUES ('{row}')"))?;
        if row.contains("Robert") {
            return Err(HandlerError::failed("Robert is too much"));
        }
        Ok(())
    })
}

fn append<C: EventConnection>(conn: &mut C, events: &[(&'static str, i32, &str)]) -> Result<Appended> {
    let new = |&(name, version, json): &(&'static str, i32, &str)| {
        Ok(NewEvent::from_json(name, json)?.event_version(version))
    };
    let events = events.iter().map(new).collect::<Result<Vec<_>>>()?;
    Ok(EventStore::new().append(conn, &user("alice")?, ExpectedVersion::Any, &events)?)
}

fn the_handler_is_given_the_typed_event<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, &[("UserMoved", 1, "{}"), ("UserRenamed", 2, r#"{"to":"Al"}"#)])?;
    seen::<_, UserEvent>().catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["1 Moved", "2 Renamed { to: Al }"]);
    Ok(())
}

fn the_names_of_the_enum_are_all_that_is_read<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let old_name = ("UserTitled", 2, r#"{"to":"Al"}"#);
    append(&mut conn, &[("OrderPlaced", 1, "7"), old_name, ("OrderPaid", 9, "[]")])?;
    assert_eq!(seen::<_, UserEvent>().catch_up(&mut conn)?.applied(), 1);
    assert_eq!(applied(&mut conn)?, ["2 Renamed { to: Al }"]);
    Ok(())
}

fn an_older_version_arrives_as_the_newest<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, &[("UserRenamed", 1, r#""Al""#)])?;
    seen::<_, UserEvent>().catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["1 Renamed { to: Al }"]);
    Ok(())
}

fn a_retired_event_is_passed_over<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, &[("UserSeen", 1, "null"), ("UserMoved", 1, "{}")])?;
    seen::<_, UserEvent>().catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["2 Moved"]);
    Ok(())
}

fn a_split_event_arrives_in_parts<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, &[("UserMovedAndRenamed", 1, r#""Al""#)])?;
    seen::<_, UserEvent>().catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["1 Moved", "1 Renamed { to: Al }"]);
    Ok(())
}

fn of_a_split_event_all_parts_are_applied_or_none<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, &[("UserMovedAndRenamed", 1, r#""Robert""#), ("UserMoved", 1, "{}")])?;
    let skipping = seen::<_, UserEvent>().on_failure(OnFailure::Skip).retries(0, std::time::Duration::ZERO);
    skipping.catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["2 Moved"]);
    Ok(())
}

fn an_enum_that_takes_others_is_given_every_event<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, &[("OrderPlaced", 1, "7"), ("UserMoved", 1, "{}")])?;
    seen::<_, Anything>().catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["1 Other", "2 User(Moved)"]);
    Ok(())
}

/// Stops at the first event with this kind of failure, and applies the second if that kind is skipped.
fn falls_under<D: TestDatabase>(event: (&'static str, i32, &str), kind: FailureKind) -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, &[event, ("UserMoved", 1, "{}")])?;
    // Without the types of the enum, so that an event of another one arrives.
    let all = || seen::<_, UserEvent>().filter(EventFilter::new());
    let Err(ProjectionError::Failed { kind: stopped, attempts, .. }) = all().catch_up(&mut conn) else {
        panic!("{event:?} was applied")
    };
    assert_eq!((stopped, attempts), (kind, 1), "{event:?}");
    let skipping = match kind {
        FailureKind::UnknownEventType => all().on_unknown_event_type(OnFailure::Skip),
        _ => all().on_undecodable(OnFailure::Skip),
    };
    skipping.catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["2 Moved"]);
    Ok(())
}

fn what_this_program_does_not_know_is_an_unknown_type<D: TestDatabase>() -> Result {
    falls_under::<D>(("OrderPlaced", 1, "7"), FailureKind::UnknownEventType)?;
    falls_under::<D>(("UserMoved", 2, "{}"), FailureKind::UnknownEventType)
}

fn what_cannot_be_read_is_undecodable<D: TestDatabase>() -> Result {
    falls_under::<D>(("UserRenamed", 1, "7"), FailureKind::Undecodable)?;
    falls_under::<D>(("UserRenamed", 2, "7"), FailureKind::Undecodable)?;
    falls_under::<D>(("UserMovedAndRenamed", 1, "7"), FailureKind::Undecodable)
}

fn an_event_that_cannot_be_read_is_not_tried_again<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, &[("UserRenamed", 2, "7"), ("UserMoved", 1, "{}")])?;
    let parking = seen::<_, UserEvent>().on_undecodable(OnFailure::ParkAlone);
    parking.catch_up(&mut conn)?;
    let parked = projection::parked(&mut conn, (NAME, 1))?;
    let error = parked[0].error();
    assert!(error.contains("UserRenamed version 2, event 1 of User/alice at position 1"), "{error}");
    assert_eq!((parked.len(), applied(&mut conn)?), (1, vec!["2 Moved".to_owned()]));
    Ok(())
}
