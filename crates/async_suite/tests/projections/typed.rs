//! A handler that is awaited and takes typed events.

use std::time::Duration;

use async_suite::RUNTIME;
use real::projection::{
    AsyncProjection, AsyncTypedHandler, FailureKind, HandlerError, OnFailure, Projection, ProjectionError,
};
use real::{
    AsyncEventConnection, Event, EventConnection, EventFilter, EventStore, ExpectedVersion, NewEvent,
    RecordedEvent, UpcastError,
};
use support::{Result, user};

use super::database::{Database, on_each_database};
use super::read_model::{NAME, application, applied, run};

on_each_database! {
    the_names_of_the_enum_are_all_that_is_read:
        the_names_of_the_enum_are_all_that_is_read_postgres, the_names_of_the_enum_are_all_that_is_read_mysql;
    an_enum_that_takes_others_is_given_every_event:
        an_enum_that_takes_others_is_given_every_event_postgres,
        an_enum_that_takes_others_is_given_every_event_mysql;
    of_a_split_event_all_parts_are_applied_or_none:
        of_a_split_event_all_parts_are_applied_or_none_postgres,
        of_a_split_event_all_parts_are_applied_or_none_mysql;
    what_cannot_be_read_falls_under_the_policies:
        what_cannot_be_read_falls_under_the_policies_postgres,
        what_cannot_be_read_falls_under_the_policies_mysql;
    a_type_can_be_the_handler:
        a_type_can_be_the_handler_postgres, a_type_can_be_the_handler_mysql;
}

#[derive(Debug, Event)]
#[event(retired(name = "UserSeen"))]
#[event(retired(name = "UserMovedAndRenamed", split = split))]
enum UserEvent {
    #[event(name = "UserRenamed", alias = "UserTitled")]
    Renamed { to: String },
    #[event(name = "UserMoved")]
    Moved,
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

/// Writes down what it was given, and of which event.
async fn see<C: AsyncEventConnection, E: Event + std::fmt::Debug>(
    conn: &mut C,
    event: E,
    recorded: &RecordedEvent,
) -> Result<(), HandlerError> {
    let row = format!("{} {event:?}", recorded.version()).replace('"', "");
    run(conn, &format!("INSERT INTO applied (name) VALUES ('{row}')")).await?;
    if row.contains("Robert") {
        return Err(HandlerError::failed("Robert is too much"));
    }
    Ok(())
}

fn seen<D: Database>() -> AsyncProjection<D::Awaited> {
    Projection::awaited_typed(NAME, 1, see::<D::Awaited, UserEvent>).retries(0, Duration::ZERO)
}

fn append<C: EventConnection>(conn: &mut C, events: &[(&'static str, &str)]) -> Result {
    let events = events.iter().map(|&(name, json)| Ok(NewEvent::from_json(name, json)?));
    let events = events.collect::<Result<Vec<_>>>()?;
    EventStore::new().append(conn, &user("alice")?, ExpectedVersion::Any, &events)?;
    Ok(())
}

fn the_names_of_the_enum_are_all_that_is_read<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    let events =
        [("OrderPlaced", "7"), ("UserTitled", r#"{"to":"Al"}"#), ("UserSeen", "null"), ("UserMoved", "{}")];
    append(&mut witness, &events)?;
    let caught_up = RUNTIME.block_on(seen::<D>().catch_up(&mut database.open_now()?))?;
    assert_eq!(caught_up.applied(), 3);
    assert_eq!(applied(&mut witness)?, ["2 Renamed { to: Al }", "4 Moved"]);
    Ok(())
}

fn an_enum_that_takes_others_is_given_every_event<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, &[("OrderPlaced", "7"), ("UserMoved", "{}")])?;
    let all = Projection::awaited_typed(NAME, 1, see::<D::Awaited, Anything>);
    RUNTIME.block_on(all.catch_up(&mut database.open_now()?))?;
    assert_eq!(applied(&mut witness)?, ["1 Other", "2 User(Moved)"]);
    Ok(())
}

fn of_a_split_event_all_parts_are_applied_or_none<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, &[("UserMovedAndRenamed", r#""Robert""#), ("UserMovedAndRenamed", r#""Al""#)])?;
    let skipping = seen::<D>().on_failure(OnFailure::Skip);
    RUNTIME.block_on(skipping.catch_up(&mut database.open_now()?))?;
    assert_eq!(applied(&mut witness)?, ["2 Moved", "2 Renamed { to: Al }"]);
    Ok(())
}

fn what_cannot_be_read_falls_under_the_policies<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, &[("UserRenamed", "7"), ("OrderPlaced", "7"), ("UserMoved", "{}")])?;
    let mut conn = database.open_now()?;
    // Without the types of the enum, so that an event of another one arrives.
    let all = || seen::<D>().filter(EventFilter::new());
    let stopped = RUNTIME.block_on(all().catch_up(&mut conn)).unwrap_err();
    let ProjectionError::Failed { kind: FailureKind::Undecodable, .. } = stopped else {
        panic!("{stopped:?}")
    };
    let skipping = || all().on_undecodable(OnFailure::Skip);
    let stopped = RUNTIME.block_on(skipping().catch_up(&mut conn)).unwrap_err();
    let ProjectionError::Failed { kind: FailureKind::UnknownEventType, .. } = stopped else {
        panic!("{stopped:?}")
    };
    RUNTIME.block_on(skipping().on_unknown_event_type(OnFailure::Skip).catch_up(&mut conn))?;
    assert_eq!(applied(&mut witness)?, ["3 Moved"]);
    Ok(())
}

/// With what it needs beside the connection.
struct Signed(&'static str);

impl<C: AsyncEventConnection> AsyncTypedHandler<C, UserEvent> for Signed {
    async fn handle(&self, conn: &mut C, _: UserEvent, recorded: &RecordedEvent) -> Result<(), HandlerError> {
        let row = format!("{} {}", recorded.version(), self.0);
        run(conn, &format!("INSERT INTO applied (name) VALUES ('{row}')")).await?;
        Ok(())
    }
}

fn a_type_can_be_the_handler<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    append(&mut witness, &[("UserMoved", "{}")])?;
    let signed = Projection::awaited_typed(NAME, 1, Signed("by hand"));
    RUNTIME.block_on(signed.catch_up(&mut database.open_now()?))?;
    assert_eq!(applied(&mut witness)?, ["1 by hand"]);
    Ok(())
}
