//! Applied in the transaction of the append: the read model is never behind.

use diesel::Connection;
use diesel_event_store::projection::{FailureKind, HandlerError, OnFailure, Projection};
use diesel_event_store::{
    EventFilter, EventStore, ExpectedVersion, LogQuery, NewEvent, Position, RecordedEvent, StreamId,
};
use test_support::{Result, TestDatabase, count, counted, user};

use super::{Fault, NAME, Script, append, application, applied, users};

tests! {
    a_filter_lets_through_what_a_query_finds,
    the_read_model_is_committed_with_the_append,
    an_error_of_the_handler_rolls_the_append_back,
    it_is_not_tried_again_and_no_policy_applies,
    a_panic_of_the_handler_is_an_error,
    what_the_filter_does_not_let_through_is_passed_over,
    a_handler_of_batches_is_given_them_at_once,
}

fn the_read_model_is_committed_with_the_append<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    conn.transaction(|conn| -> Result {
        let appended = append(conn, "alice", 2)?;
        users().apply_inline(conn, appended.events())?;
        assert_eq!(applied(conn)?, ["alice 1", "alice 2"]);
        Ok(())
    })?;
    assert_eq!(applied(&mut db.connect()?)?, ["alice 1", "alice 2"]);
    Ok(())
}

fn an_error_of_the_handler_rolls_the_append_back<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let failing = Script::with([("alice 2", Fault::Fails)]).projection();
    let refused = conn.transaction(|conn| -> Result {
        let appended = append(conn, "alice", 2)?;
        Ok(failing.apply_inline(conn, appended.events())?)
    });
    assert_eq!(refused.unwrap_err().to_string(), "alice 2 is too much");
    let mut other = db.connect()?;
    assert_eq!(count(&mut other, "events")?, 0);
    assert!(applied(&mut other)?.is_empty());
    Ok(())
}

fn it_is_not_tried_again_and_no_policy_applies<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let script = Script::with([("alice 1", Fault::Fails)]);
    let failing = script.projection().on_failure(OnFailure::Skip);
    let refused = conn.transaction(|conn| -> Result {
        let appended = append(conn, "alice", 2)?;
        Ok(failing.apply_inline(conn, appended.events())?)
    });
    assert!(refused.is_err());
    assert_eq!(script.given(), ["alice 1"]);
    Ok(())
}

fn a_panic_of_the_handler_is_an_error<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let panicking = Script::with([("alice 1", Fault::Panics)]).projection();
    let refused = conn.transaction(|conn| -> Result<(), Failure> {
        let appended = append(conn, "alice", 1).map_err(Failure::Other)?;
        panicking.apply_inline(conn, appended.events()).map_err(Failure::Handler)
    });
    let Err(Failure::Handler(error)) = refused else { panic!("{refused:?}") };
    assert_eq!(error.kind(), FailureKind::Failed);
    assert_eq!(error.to_string(), "the handler panicked: alice 1 is far too much");
    assert_eq!(count(&mut conn, "events")?, 0);
    append(&mut conn, "alice", 1)?;
    Ok(())
}

#[derive(Debug)]
enum Failure {
    Handler(HandlerError),
    Other(#[allow(dead_code)] Box<dyn std::error::Error + Send + Sync>), // It is shown.
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::Other(error.into())
    }
}

fn what_the_filter_does_not_let_through_is_passed_over<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let created = users().event_types(["Created"]);
    let types = ["Renamed", "Created", "Renamed", "Created"];
    let events = types.map(|name| NewEvent::new(name, &()));
    let events = events.into_iter().collect::<Result<Vec<_>, _>>()?;
    conn.transaction(|conn| -> Result {
        let appended = EventStore::new().append(conn, &user("alice")?, ExpectedVersion::Any, &events)?;
        created.apply_inline(conn, appended.events())?;
        created.apply_inline(conn, &appended.events()[..1])?;
        Ok(())
    })?;
    assert_eq!(applied(&mut conn)?, ["alice 2", "alice 4"]);
    Ok(())
}

/// The rule for events in hand is the one that the database follows.
fn a_filter_lets_through_what_a_query_finds<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let recorded = |conn: &mut D::Conn, aggregate_type, event: NewEvent| -> Result<Vec<RecordedEvent>> {
        let mut stream = StreamId::new(aggregate_type, "alice")?;
        if aggregate_type == "Order" {
            stream = stream.in_tenant("acme")?;
        }
        Ok(EventStore::new().append(conn, &stream, ExpectedVersion::Any, &[event])?.events().to_vec())
    };
    let mut events = Vec::new();
    for aggregate_type in ["User", "user", "Order"] {
        for event_type in ["Created", "created"] {
            events.extend(recorded(&mut conn, aggregate_type, NewEvent::new(event_type, &())?)?);
            let correlated = NewEvent::new(event_type, &())?.correlation_id("request 7");
            events.extend(recorded(&mut conn, aggregate_type, correlated)?);
        }
    }
    let filters = [
        EventFilter::new(),
        EventFilter::new().aggregate_types(["User", "Order"]),
        EventFilter::new().event_types(["created"]),
        EventFilter::new().correlation_id("request 7"),
        EventFilter::new().aggregate_types(["User"]).event_types(["Created"]).correlation_id("request 7"),
        EventFilter::new().correlation_id("Request 7"),
        EventFilter::new().tenant("acme"),
        EventFilter::new().tenant("Acme"),
        EventFilter::new().tenant("acme").aggregate_types(["Order", "User"]).event_types(["created"]),
    ];
    for (filter, expected) in filters.into_iter().zip([12, 8, 6, 6, 1, 0, 4, 0, 2]) {
        let query = LogQuery::after(Position::START).filter(filter.clone());
        let found = EventStore::new().read_log(&mut conn, &query, 100)?.into_events();
        let matching: Vec<_> = events.iter().filter(|event| filter.matches(event)).cloned().collect();
        assert_eq!((&found, found.len()), (&matching, expected), "{filter:?}");
    }
    Ok(())
}

fn a_handler_of_batches_is_given_them_at_once<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let three_at_once =
        Projection::in_batches(NAME, 1, |_: &mut D::Conn, events: &[RecordedEvent]| match events.len() {
            3 => Ok(()),
            other => Err(HandlerError::failed(format!("{other} events"))),
        });
    let stream = user("alice")?;
    conn.transaction(|conn| -> Result {
        let appended = EventStore::new().append(conn, &stream, ExpectedVersion::Any, &counted(3)?)?;
        Ok(three_at_once.apply_inline(conn, appended.events())?)
    })
}
