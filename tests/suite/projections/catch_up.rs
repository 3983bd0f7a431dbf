//! Catching up with the log, and returning.

use std::sync::{Arc, Mutex};

use diesel_event_store::projection::{self, Projection, ProjectionError};
use diesel_event_store::{
    EventConnection, EventFilter, EventStore, ExpectedVersion, NewEvent, Position, RecordedEvent, StreamId,
};
use test_support::{Result, TestDatabase};

use super::{NAME, append, application, applied, insert, reached, users};

tests! {
    every_event_is_applied_once_and_in_order,
    the_next_call_goes_on_where_the_last_has_ended,
    an_empty_log_is_caught_up_with,
    it_says_how_far_it_has_come,
    a_batch_is_no_larger_than_was_asked_for,
    a_handler_is_given_only_what_passes_the_filter,
    the_checkpoint_moves_past_what_is_filtered_out,
    every_projection_and_every_version_has_a_checkpoint_of_its_own,
    a_handler_may_append_events_which_are_applied_in_turn,
}

fn every_event_is_applied_once_and_in_order<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    append(&mut conn, "bob", 1)?;
    append(&mut conn, "alice", 1)?;
    assert_eq!(users().catch_up(&mut conn)?.applied(), 4);
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "bob 1", "alice 3"]);
    Ok(())
}

fn the_next_call_goes_on_where_the_last_has_ended<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    assert_eq!(users().catch_up(&mut conn)?.applied(), 1);
    assert_eq!(users().catch_up(&mut conn)?.applied(), 0);
    append(&mut conn, "alice", 1)?;
    let mut other = db.connect()?;
    assert_eq!(users().catch_up(&mut other)?.applied(), 1);
    assert_eq!(users().catch_up(&mut conn)?.applied(), 0);
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2"]);
    Ok(())
}

fn an_empty_log_is_caught_up_with<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let caught_up = users().catch_up(&mut conn)?;
    assert_eq!((caught_up.applied(), caught_up.position()), (0, Position::START));
    assert_eq!(reached(&mut conn)?, Position::START);
    Ok(())
}

fn it_says_how_far_it_has_come<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    for _ in 0..3 {
        let last = append(&mut conn, "alice", 5)?.last_position();
        let caught_up = users().batch_size(2).catch_up(&mut conn)?;
        assert_eq!(caught_up.applied(), 5);
        assert!(caught_up.position() >= last);
        assert_eq!(caught_up.position(), reached(&mut conn)?);
    }
    Ok(())
}

/// How many events a handler is given at a time, if at most so many are asked for.
fn batches<D: TestDatabase>(most: usize) -> Result<Vec<usize>> {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 7)?;
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&sizes);
    let projection = Projection::in_batches(NAME, 1, move |conn: &mut D::Conn, events: &[RecordedEvent]| {
        seen.lock().expect("nobody panics").push(events.len());
        events.iter().try_for_each(|event| insert(conn, event))
    });
    assert_eq!(projection.batch_size(most).catch_up(&mut conn)?.applied(), 7);
    assert_eq!(applied(&mut conn)?.len(), 7);
    let sizes = sizes.lock().expect("nobody panics").clone();
    Ok(sizes)
}

fn a_batch_is_no_larger_than_was_asked_for<D: TestDatabase>() -> Result {
    assert_eq!(batches::<D>(1)?, [1; 7]);
    assert_eq!(batches::<D>(3)?, [3, 3, 1]);
    assert_eq!(batches::<D>(7)?, [7]);
    assert_eq!(batches::<D>(100_000)?, [7]);
    Ok(())
}

/// One event of each of these types, of an aggregate of this type, whose id is `alice`.
fn append_to(
    conn: &mut impl EventConnection,
    aggregate_type: &str,
    event_types: &[&str],
) -> Result<Position> {
    let event = |name: &&str| {
        Ok(NewEvent::new((*name).to_owned(), &())?.correlation_id(format!("{aggregate_type} {name}")))
    };
    let events = event_types.iter().map(event).collect::<Result<Vec<_>>>()?;
    let stream = StreamId::new(aggregate_type, "alice")?;
    Ok(EventStore::new().append(conn, &stream, ExpectedVersion::Any, &events)?.last_position())
}

fn a_handler_is_given_only_what_passes_the_filter<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    for _ in 0..3 {
        append_to(&mut conn, "User", &["Created", "Renamed", "Deleted"])?;
        append_to(&mut conn, "Order", &["Created", "Shipped"])?;
    }
    let mut given = |name: &str, filtered: fn(Projection<D::Conn>) -> Projection<D::Conn>| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let handler = Arc::clone(&seen);
        let projection = Projection::new(name, 1, move |_: &mut D::Conn, event: &RecordedEvent| {
            let types = [event.stream().aggregate_type(), event.event_type()].join(" ");
            handler.lock().expect("nobody panics").push(types);
            Ok(())
        });
        let caught_up = filtered(projection.batch_size(2)).catch_up(&mut conn)?;
        let seen = seen.lock().expect("nobody panics").clone();
        assert_eq!(caught_up.applied(), seen.len() as u64);
        Ok::<_, ProjectionError>(seen)
    };
    let by_event_type = given("event types", |users| users.event_types(["Created", "Deleted"]))?;
    assert_eq!(by_event_type, ["User Created", "User Deleted", "Order Created"].repeat(3));
    let by_aggregate_type = given("aggregate types", |users| users.aggregate_types(["Order"]))?;
    assert_eq!(by_aggregate_type, ["Order Created", "Order Shipped"].repeat(3));
    let by_both = given("both", |users| users.aggregate_types(["User"]).event_types(["Created"]))?;
    assert_eq!(by_both, ["User Created"].repeat(3));
    let shipped =
        given("correlation", |users| users.filter(EventFilter::new().correlation_id("Order Shipped")))?;
    assert_eq!(shipped, ["Order Shipped"].repeat(3));
    let replaced =
        given("the last filter counts", |users| users.event_types(["Renamed"]).filter(EventFilter::new()))?;
    assert_eq!(replaced.len(), 15);
    assert!(given("none", |users| users.event_types(["created"]))?.is_empty());
    Ok(())
}

fn the_checkpoint_moves_past_what_is_filtered_out<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let created = || users().event_types(["Created"]);
    let last = append_to(&mut conn, "User", &["Renamed", "Renamed", "Renamed"])?;
    let caught_up = created().catch_up(&mut conn)?;
    assert_eq!(caught_up.applied(), 0);
    assert!(caught_up.position() >= last && reached(&mut conn)? >= last);

    let last = append_to(&mut conn, "User", &["Renamed", "Created", "Renamed"])?;
    assert_eq!(created().batch_size(1).catch_up(&mut conn)?.applied(), 1);
    assert!(reached(&mut conn)? >= last);
    assert_eq!(applied(&mut conn)?, ["alice 5"]);
    Ok(())
}

fn every_projection_and_every_version_has_a_checkpoint_of_its_own<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    for (name, version) in [(NAME, 1), (NAME, 2), ("Users", 1), ("users ", 1)] {
        let projection = Projection::new(name, version, insert);
        assert_eq!(projection.catch_up(&mut conn)?.applied(), 2, "{name:?} {version}");
        assert_eq!(projection.catch_up(&mut conn)?.applied(), 0, "{name:?} {version}");
    }
    let known: Vec<_> = projection::status(&mut conn)?
        .iter()
        .map(|status| (status.projection().name().to_owned(), status.projection().version()))
        .collect();
    let sorted = [("Users", 1), (NAME, 1), (NAME, 2), ("users ", 1)];
    assert_eq!(known, sorted.map(|(name, version)| (name.to_owned(), version)));
    Ok(())
}

fn a_handler_may_append_events_which_are_applied_in_turn<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let echo = Projection::new(NAME, 1, |conn: &mut D::Conn, event: &RecordedEvent| {
        insert(conn, event)?;
        if event.stream().aggregate_id() == "alice" {
            let echo = StreamId::new("User", "echo")?;
            EventStore::new().append(conn, &echo, ExpectedVersion::Any, &[NewEvent::new("Echo", &())?])?;
        }
        Ok(())
    });
    let both = echo.catch_up(&mut conn)?.applied() + echo.catch_up(&mut conn)?.applied();
    assert_eq!(both, 2);
    assert_eq!(echo.catch_up(&mut conn)?.applied(), 0);
    assert_eq!(applied(&mut conn)?, ["alice 1", "echo 1"]);
    Ok(())
}
