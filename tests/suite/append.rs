//! What an append returns is what it has recorded.

use chrono::{SubsecRound, Utc};
use diesel_event_store::{
    AppendError, Duplicate, EventStore, ExpectedVersion, NewEvent, Position, RecordedEvent, StreamId, chrono,
    write_transaction,
};
use serde_json::json;
use test_support::{Result, TestDatabase, count, counted, user, versions};

tests! {
    versions_count_from_one_without_a_gap,
    what_is_returned_is_what_is_read_back,
    positions_grow_from_append_to_append,
    every_aggregate_counts_its_own_versions,
    the_head_is_the_version_of_the_last_event,
    a_batch_keeps_its_order,
    an_event_without_a_time_has_that_of_the_append,
    ids_that_are_not_given_are_time_ordered,
    an_append_that_went_through_is_a_duplicate_when_it_is_repeated,
    a_duplicate_says_where_the_event_is_recorded,
    a_duplicate_is_the_same_event_only_if_stream_type_and_payload_are_the_same,
    an_id_that_comes_twice_in_the_batch_is_recorded_nowhere,
    no_events_can_be_allowed_and_leave_everything_as_it_is,
    no_events_still_need_the_stream_at_the_expected_version,
}

fn versions_count_from_one_without_a_gap<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);

    let first = store.append(&mut conn, &alice, ExpectedVersion::NoStream, &counted(3)?)?;
    assert_eq!((first.previous_version(), first.version()), (0, 3));
    assert_eq!(versions(first.events()), [1, 2, 3]);

    let second = store.append(&mut conn, &alice, ExpectedVersion::Exact(3), &counted(2)?)?;
    assert_eq!((second.previous_version(), second.version()), (3, 5));
    assert_eq!(versions(second.events()), [4, 5]);

    assert_eq!(versions(&store.read_stream(&mut conn, &alice, ..)?), [1, 2, 3, 4, 5]);
    Ok(())
}

fn what_is_returned_is_what_is_read_back<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    let full = NewEvent::new("UserCreated", &json!({ "email": "alice@example.com" }))?
        .event_version(7)
        .metadata(&json!({ "ip": "::1" }))?
        .trace_id("trace")
        .correlation_id("correlation")
        .causation_id("causation");
    let bare = NewEvent::new("UserLeft", &())?;
    let ids = [full.id(), bare.id()];

    let appended = store.append(&mut conn, &alice, ExpectedVersion::NoStream, &[full, bare])?;

    let [full, bare] = appended.events() else { panic!("{appended:?}") };
    assert_eq!([full.id(), bare.id()], ids);
    assert_eq!((full.stream(), full.aggregate_type(), full.aggregate_id()), (&alice, "User", "alice"));
    assert_eq!((full.event_type(), full.event_version()), ("UserCreated", 7));
    assert_eq!(full.payload_json(), r#"{"email":"alice@example.com"}"#);
    assert_eq!(full.metadata_json(), Some(r#"{"ip":"::1"}"#));
    assert_eq!(full.trace_id(), Some("trace"));
    assert_eq!(full.correlation_id(), Some("correlation"));
    assert_eq!(full.causation_id(), Some("causation"));
    assert_eq!((bare.event_type(), bare.event_version(), bare.payload_json()), ("UserLeft", 1, "null"));
    assert_eq!((bare.metadata_json(), bare.trace_id()), (None, None));
    assert_eq!((bare.correlation_id(), bare.causation_id()), (None, None));

    let mut other = db.connect()?;
    assert_eq!(store.read_stream(&mut other, &alice, ..)?.events(), appended.events());
    assert_eq!(store.read_forward(&mut other, Position::START, 10)?.events(), appended.events());
    assert_eq!(store.read_event(&mut other, ids[0])?.as_ref(), Some(full));
    assert_eq!(store.read_event(&mut other, ids[1])?.as_ref(), Some(bare));
    Ok(())
}

fn positions_grow_from_append_to_append<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    let mut last = Position::START;
    for round in 0..6 {
        let stream = user(["alice", "bob"][round % 2])?;
        let appended = store.append(&mut conn, &stream, ExpectedVersion::Any, &counted(2)?)?;
        for event in appended.events() {
            assert!(event.position() > last);
            last = event.position();
        }
        assert_eq!(appended.last_position(), last);
        assert_eq!(store.last_position(&mut conn)?, last);
    }
    Ok(())
}

fn every_aggregate_counts_its_own_versions<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    let names =
        [("User", "1"), ("User", "2"), ("Order", "1"), ("User1", "2"), ("User/1", "2"), ("User", "1/2")];
    for (aggregate_type, aggregate_id) in names {
        let stream = StreamId::new(aggregate_type, aggregate_id)?;
        let appended = store.append(&mut conn, &stream, ExpectedVersion::NoStream, &counted(2)?)?;
        assert_eq!(appended.version(), 2, "{stream}");
    }
    assert_eq!(count(&mut conn, "aggregate_heads")?, 6);
    Ok(())
}

fn the_head_is_the_version_of_the_last_event<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    for expected in [
        ExpectedVersion::NoStream,
        ExpectedVersion::Any,
        ExpectedVersion::StreamExists,
        ExpectedVersion::Exact(9),
    ] {
        let appended = store.append(&mut conn, &alice, expected, &counted(3)?)?;
        let at_that_version = format!("aggregate_heads WHERE aggregate_version = {}", appended.version());
        assert_eq!(count(&mut conn, &at_that_version)?, 1);
    }
    assert_eq!(count(&mut conn, "aggregate_heads")?, 1);
    Ok(())
}

fn a_batch_keeps_its_order<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);

    let events = counted(2000)?;
    let appended = store.append(&mut conn, &alice, ExpectedVersion::NoStream, &events)?;

    assert!(appended.events().iter().map(RecordedEvent::id).eq(events.iter().map(NewEvent::id)));
    assert!(appended.events().windows(2).all(|pair| pair[0].position() < pair[1].position()));
    assert_eq!(store.read_stream(&mut conn, &alice, ..)?.events(), appended.events());
    assert_eq!(store.read_forward(&mut conn, Position::START, 3000)?.events(), appended.events());
    Ok(())
}

fn an_event_without_a_time_has_that_of_the_append<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    let given = chrono::DateTime::from_timestamp(1_286_004_039, 266_000_000).expect("a time");
    let events = [
        NewEvent::new("Now", &())?,
        NewEvent::new("Then", &())?.created_at(given),
        NewEvent::new("Now", &())?,
    ];

    let before = Utc::now().trunc_subsecs(6);
    let appended = store.append(&mut conn, &alice, ExpectedVersion::NoStream, &events)?;
    let after = Utc::now();

    let times: Vec<_> = appended.events().iter().map(RecordedEvent::created_at).collect();
    assert!(before <= times[0] && times[0] <= after, "{times:?}");
    assert_eq!(times, [times[0], given, times[0]]);
    assert_eq!(store.read_stream(&mut conn, &alice, ..)?.events(), appended.events());
    Ok(())
}

fn ids_that_are_not_given_are_time_ordered<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let appended =
        EventStore::new().append(&mut conn, &user("alice")?, ExpectedVersion::Any, &counted(100)?)?;
    assert!(appended.events().iter().all(|event| event.id().get_version_num() == 7));
    assert!(appended.events().windows(2).all(|pair| pair[0].id() < pair[1].id()));
    Ok(())
}

/// Whoever does not know whether an append went through repeats it, and is told: whatever the append expects.
fn an_append_that_went_through_is_a_duplicate_when_it_is_repeated<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    let expected = [
        ExpectedVersion::NoStream,
        ExpectedVersion::Exact(2),
        ExpectedVersion::StreamExists,
        ExpectedVersion::Any,
    ];
    let alice = user("alice")?;
    for (nth, expected) in expected.into_iter().enumerate() {
        let batch = counted(2)?;
        let version = store.append(&mut conn, &alice, expected, &batch)?.version();

        let repeated = store.append(&mut conn, &alice, expected, &batch).unwrap_err();
        assert!(
            matches!(&repeated, AppendError::DuplicateEventId { event_id, event_index: 0, .. }
                if *event_id == batch[0].id()),
            "{nth}: {repeated}"
        );
        assert_eq!(store.version(&mut conn, &alice)?, version);
    }
    Ok(())
}

fn duplicate(refused: AppendError) -> Result<Duplicate> {
    match refused {
        AppendError::DuplicateEventId { recorded: Some(duplicate), .. } => Ok(*duplicate),
        other => Err(other.into()),
    }
}

/// Alone, and inside the application's transaction.
fn a_duplicate_says_where_the_event_is_recorded<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice, bob) = (EventStore::new(), user("alice")?, user("bob")?);
    store.append(&mut conn, &bob, ExpectedVersion::NoStream, &counted(3)?)?;
    let batch = counted(2)?;
    let appended = store.append(&mut conn, &alice, ExpectedVersion::NoStream, &batch)?;
    let second = &appended.events()[1];

    let repeat = |conn: &mut D::Conn, stream| {
        let events = [counted(1)?, vec![batch[1].clone()]].concat();
        duplicate(store.append(conn, stream, ExpectedVersion::Any, &events).unwrap_err())
    };
    let alone = repeat(&mut conn, &alice)?;
    assert_eq!((alone.event(), alone.is_same_event()), (second, true));
    let in_transaction = write_transaction(&mut conn, |conn| repeat(conn, &bob))?;
    assert_eq!((in_transaction.event(), in_transaction.is_same_event()), (second, false));
    assert_eq!(count(&mut conn, "events")?, 5);
    Ok(())
}

fn a_duplicate_is_the_same_event_only_if_stream_type_and_payload_are_the_same<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice, bob) = (EventStore::new(), user("alice")?, user("bob")?);
    let new = |event_type: &'static str, payload: i64| NewEvent::new(event_type, &payload);
    let first = new("Paid", 1)?.metadata(&"first")?.trace_id("first");
    store.append(&mut conn, &alice, ExpectedVersion::NoStream, std::slice::from_ref(&first))?;

    for (stream, event, is_same) in [
        (&alice, new("Paid", 1)?, true),
        (&alice, new("Paid", 1)?.metadata(&"second")?.trace_id("second"), true),
        (&bob, new("Paid", 1)?, false),
        (&alice, new("Refunded", 1)?, false),
        (&alice, new("Paid", 1)?.event_version(2), false),
        (&alice, new("Paid", 2)?, false),
    ] {
        let again = [event.with_id(first.id())];
        let refused = store.append(&mut conn, stream, ExpectedVersion::NoStream, &again).unwrap_err();
        assert_eq!(duplicate(refused)?.is_same_event(), is_same, "{stream} {again:?}");
    }
    Ok(())
}

fn an_id_that_comes_twice_in_the_batch_is_recorded_nowhere<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let event = NewEvent::new("Paid", &())?;
    let batch = [event.clone(), event];
    let refused = EventStore::new().append(&mut conn, &user("alice")?, ExpectedVersion::Any, &batch);
    assert!(matches!(refused, Err(AppendError::DuplicateEventId { event_index: 1, recorded: None, .. })));
    Ok(())
}

fn no_events_can_be_allowed_and_leave_everything_as_it_is<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new().allow_empty(true), user("alice")?);
    let append = |conn: &mut D::Conn, expected| store.append(conn, &alice, expected, &[]);

    for expected in [ExpectedVersion::NoStream, ExpectedVersion::Any, ExpectedVersion::Exact(0)] {
        let nothing = append(&mut conn, expected)?;
        assert_eq!((nothing.previous_version(), nothing.version()), (0, 0));
        assert_eq!((nothing.events().len(), nothing.last_position()), (0, Position::START));
    }
    assert_eq!((count(&mut conn, "events")?, count(&mut conn, "aggregate_heads")?), (0, 0));

    store.append(&mut conn, &alice, ExpectedVersion::NoStream, &counted(2)?)?;
    for expected in [ExpectedVersion::Exact(2), ExpectedVersion::Any, ExpectedVersion::StreamExists] {
        let nothing = append(&mut conn, expected)?;
        assert_eq!((nothing.previous_version(), nothing.version(), nothing.events().len()), (2, 2, 0));
    }
    assert_eq!((count(&mut conn, "events")?, store.version(&mut conn, &alice)?), (2, 2));
    Ok(())
}

fn no_events_still_need_the_stream_at_the_expected_version<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new().allow_empty(true), user("alice")?);
    let refuse = |conn: &mut D::Conn, expected| store.append(conn, &alice, expected, &[]).unwrap_err();

    let missing = refuse(&mut conn, ExpectedVersion::StreamExists);
    assert_eq!(missing.conflict().map(|conflict| conflict.actual), Some(0));
    store.append(&mut conn, &alice, ExpectedVersion::NoStream, &counted(2)?)?;
    for expected in [ExpectedVersion::NoStream, ExpectedVersion::Exact(1), ExpectedVersion::Exact(3)] {
        let elsewhere = refuse(&mut conn, expected);
        assert_eq!(elsewhere.conflict().map(|conflict| conflict.actual), Some(2), "{expected:?}");
    }
    let invalid = refuse(&mut conn, ExpectedVersion::Exact(-1));
    assert!(matches!(invalid, AppendError::Invalid(_)));
    Ok(())
}
