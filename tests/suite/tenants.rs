//! Aggregates of two tenants never meet, whatever their types and ids.

use diesel_event_store::{
    AppendError, EventStore, ExpectedVersion, InvalidInput, LogQuery, MAX_TENANT_LENGTH, NewEvent, Position,
    Problem, ReadError, RecordedEvent, StreamId,
};
use test_support::{Result, TestDatabase, count, counted, execute, user, versions};

tests! {
    the_same_aggregate_in_two_tenants_is_two_streams,
    the_message_of_a_conflict_names_the_tenant,
    an_event_id_is_unique_across_tenants,
    a_reader_of_the_log_sees_all_tenants_unless_it_filters,
    a_page_goes_past_the_events_of_other_tenants,
    heads_of_all_tenants_are_repaired,
    a_tenant_of_the_longest_length_is_kept,
    a_tenant_that_cannot_be_kept_is_refused,
}

const STORE: EventStore = EventStore::new();

/// The same user in two tenants and in none.
pub fn alices() -> Result<[StreamId; 3], InvalidInput> {
    Ok([user("alice")?, user("alice")?.in_tenant("acme")?, user("alice")?.in_tenant("Acme")?])
}

/// With one event for the first stream, two for the second, three for the third.
fn with_three_alices<D: TestDatabase>() -> Result<(D, D::Conn, [StreamId; 3])> {
    let db = D::migrated()?;
    let (mut conn, alices) = (db.connect()?, alices()?);
    for (alice, events) in alices.iter().zip(1..) {
        STORE.append(&mut conn, alice, ExpectedVersion::NoStream, &counted(events)?)?;
    }
    Ok((db, conn, alices))
}

fn tenants<'a>(events: impl IntoIterator<Item = &'a RecordedEvent>) -> Vec<&'a str> {
    events.into_iter().map(|event| event.tenant_id().unwrap_or("none")).collect()
}

fn the_same_aggregate_in_two_tenants_is_two_streams<D: TestDatabase>() -> Result {
    let (db, _, alices) = with_three_alices::<D>()?;
    let mut conn = db.connect()?;
    for (alice, events) in alices.iter().zip(1..) {
        assert_eq!(STORE.version(&mut conn, alice)?, events);
        let read = STORE.read_stream(&mut conn, alice, ..)?;
        assert_eq!(versions(&read), Vec::from_iter(1..=events));
        assert!(read.events().iter().all(|event| event.stream() == alice));
        assert_eq!(read.events()[0].tenant_id(), alice.tenant_id());

        let moved = STORE.append(&mut conn, alice, ExpectedVersion::Exact(events), &counted(1)?)?;
        assert_eq!(moved.version(), events + 1);
        assert_eq!(STORE.read_event(&mut conn, moved.events()[0].id())?.as_ref(), moved.events().first());
        assert_eq!(STORE.append(&mut conn, alice, ExpectedVersion::Any, &counted(1)?)?.version(), events + 2);
    }
    assert_eq!(count(&mut conn, "aggregate_heads")?, 3);
    assert_eq!(STORE.version(&mut conn, &user("alice")?.in_tenant("other")?)?, 0);
    Ok(())
}

fn the_message_of_a_conflict_names_the_tenant<D: TestDatabase>() -> Result {
    let (_db, mut conn, [_, alice, _]) = with_three_alices::<D>()?;
    for expected in [ExpectedVersion::NoStream, ExpectedVersion::Exact(1)] {
        let refused = STORE.append(&mut conn, &alice, expected, &counted(1)?).unwrap_err();
        let conflict = refused.conflict().ok_or("it is a conflict")?;
        assert_eq!((&conflict.stream, conflict.actual), (&alice, 2));
        assert!(refused.to_string().contains("User/alice (tenant acme)"), "{refused}");
    }
    Ok(())
}

fn an_event_id_is_unique_across_tenants<D: TestDatabase>() -> Result {
    let (_db, mut conn, [without, alice, _]) = with_three_alices::<D>()?;
    let recorded = STORE.read_stream(&mut conn, &alice, ..)?.into_events().remove(0);
    let again = NewEvent::new("Counted", &1)?.with_id(recorded.id());
    for (stream, is_same) in [(&without, false), (&alice, true)] {
        let refused = STORE.append(&mut conn, stream, ExpectedVersion::Any, std::slice::from_ref(&again));
        match refused {
            Err(AppendError::DuplicateEventId { recorded: Some(duplicate), .. }) => {
                assert_eq!(duplicate.event().tenant_id(), Some("acme"));
                assert_eq!(duplicate.is_same_event(), is_same);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(STORE.version(&mut conn, &without)?, 1);
    Ok(())
}

fn a_reader_of_the_log_sees_all_tenants_unless_it_filters<D: TestDatabase>() -> Result {
    let (_db, mut conn, _) = with_three_alices::<D>()?;
    let mut read = |query: LogQuery| STORE.read_log(&mut conn, &query, 100);
    let forward = || LogQuery::after(Position::START);
    let all = ["none", "acme", "acme", "Acme", "Acme", "Acme"];
    assert_eq!(tenants(read(forward())?.events()), all);
    assert_eq!(tenants(read(forward().tenant("acme"))?.events()), ["acme"; 2]);
    assert_eq!(tenants(read(forward().tenant("Acme").event_types(["Counted"]))?.events()), ["Acme"; 3]);
    assert_eq!(tenants(read(LogQuery::before(Position::END).tenant("acme"))?.events()), ["acme"; 2]);
    for nobody in ["acme ", "ACME", "none"] {
        assert!(read(forward().tenant(nobody))?.is_empty(), "{nobody}");
    }
    assert!(read(forward().tenant("acme").aggregate_types(["Order"]))?.is_empty());
    Ok(())
}

fn a_page_goes_past_the_events_of_other_tenants<D: TestDatabase>() -> Result {
    let (_db, mut conn, _) = with_three_alices::<D>()?;
    let last = STORE.last_position(&mut conn)?;
    let query = LogQuery::after(Position::START).tenant("acme");
    let first = STORE.read_log(&mut conn, &query, 1)?;
    assert_eq!(versions(first.events()), [1]);
    let second = STORE.read_log(&mut conn, &LogQuery::after(first.scanned_to()).tenant("acme"), 2)?;
    assert_eq!((versions(second.events()), second.scanned_to()), (vec![2], last));
    Ok(())
}

fn heads_of_all_tenants_are_repaired<D: TestDatabase>() -> Result {
    let (_db, mut conn, alices) = with_three_alices::<D>()?;
    execute(&mut conn, "DELETE FROM aggregate_heads WHERE tenant_id <> ''")?;
    execute(&mut conn, "UPDATE aggregate_heads SET aggregate_version = 7")?;
    let refused = STORE.append(&mut conn, &alices[1], ExpectedVersion::Any, &counted(1)?);
    assert!(refused.unwrap_err().to_string().contains("EventStore::repair"));
    assert_eq!(STORE.repair(&mut conn)?.heads(), 3);
    for (alice, version) in alices.iter().zip(1..) {
        assert_eq!(STORE.version(&mut conn, alice)?, version);
    }
    Ok(())
}

fn a_tenant_of_the_longest_length_is_kept<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let names = ["x".repeat(MAX_TENANT_LENGTH), "😀".repeat(MAX_TENANT_LENGTH)];
    for tenant in names {
        let long = "😀".repeat(255);
        let stream = StreamId::new(long.as_str(), &long)?.in_tenant(&tenant)?;
        STORE.append(&mut conn, &stream, ExpectedVersion::NoStream, &counted(2)?)?;
        let read = STORE.read_log(&mut conn, &LogQuery::after(Position::START).tenant(&tenant), 10)?;
        assert_eq!(tenants(read.events()), [&*tenant; 2]);
        assert_eq!(STORE.version(&mut conn, &stream)?, 2);
    }
    Ok(())
}

fn a_tenant_that_cannot_be_kept_is_refused<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for (tenant, problem) in [
        (String::new(), "tenant_id is empty"),
        ("x".repeat(64), "tenant_id is 64 characters long; the limit is 63"),
        ("a\nb".to_owned(), "tenant_id has the control character '\\n' at byte 1"),
    ] {
        let refused = user("alice")?.in_tenant(&tenant).unwrap_err();
        assert_eq!(refused.field(), "tenant_id");
        assert!(refused.to_string().starts_with(problem), "{refused}");

        let query = LogQuery::after(Position::START).tenant(&tenant);
        match STORE.read_log(&mut conn, &query, 10) {
            Err(ReadError::Invalid(invalid)) => assert_eq!(invalid, refused),
            other => panic!("{other:?}"),
        }
    }
    let refused = user("alice")?.in_tenant("😀".repeat(64)).unwrap_err();
    assert!(matches!(refused.problem(), Problem::TooLong { length: 64, limit: 63, .. }));
    Ok(())
}
