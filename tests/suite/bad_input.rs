//! What cannot be kept is refused before anything is written, with an error that names the field.
#![expect(
    clippy::extra_unused_type_parameters,
    reason = "some of it is refused before any database is asked"
)]

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel_event_store::uuid::Uuid;
use diesel_event_store::{
    AppendError, CheckpointError, EventConnection, EventStore, ExpectedVersion, InvalidInput, LogQuery,
    MAX_JSON_DEPTH, MAX_NAME_LENGTH, NewEvent, Position, Problem, ReadError, StreamId, StreamQuery, chrono,
};
use test_support::{Result, TestDatabase, count, counted, execute, user};

tests! {
    a_stream_that_cannot_be_named,
    names_as_long_as_the_limit_are_kept,
    no_events,
    names_of_an_event_that_cannot_be_kept,
    the_message_counts_the_event,
    an_event_version_below_one,
    text_that_is_not_json,
    a_value_that_cannot_be_json,
    json_that_is_nested_too_deep,
    json_above_the_stores_limit,
    an_event_id_that_comes_twice_in_the_batch,
    an_event_id_that_is_recorded_already,
    a_time_that_cannot_be_kept,
    an_expected_version_below_zero,
    a_batch_that_would_overflow_the_version,
    a_limit_of_zero,
    a_range_of_versions_below_zero,
    a_range_of_versions_that_ends_before_it_begins,
    a_filter_that_names_nothing,
    a_filter_by_a_name_that_nothing_can_have,
    a_position_below_zero,
    a_projection_that_cannot_be_named,
}

/// A database with one event, so that an append that is refused could have moved its head.
fn with_one_event<D: TestDatabase>() -> Result<(D, D::Conn, StreamId)> {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let alice = user("alice")?;
    EventStore::new().append(&mut conn, &alice, ExpectedVersion::NoStream, &counted(1)?)?;
    Ok((db, conn, alice))
}

/// What an append is refused with. Nothing of it is in the database.
fn refusal(
    store: EventStore,
    conn: &mut impl EventConnection,
    stream: &StreamId,
    expected: ExpectedVersion,
    events: &[NewEvent],
) -> Result<AppendError> {
    let version = store.version(conn, stream)?;
    let rows = (count(conn, "events")?, count(conn, "aggregate_heads")?);
    let refused = store.append(conn, stream, expected, events);
    assert_eq!(store.version(conn, stream)?, version);
    assert_eq!((count(conn, "events")?, count(conn, "aggregate_heads")?), rows);
    refused.err().ok_or_else(|| "the append was not refused".into())
}

/// The same for an event in the middle of a batch, which the error counts.
fn refused_event(
    store: EventStore,
    conn: &mut impl EventConnection,
    stream: &StreamId,
    event: NewEvent,
) -> Result<InvalidInput> {
    let batch = [NewEvent::new("Good", &())?, event, NewEvent::new("Good", &())?];
    match refusal(store, conn, stream, ExpectedVersion::Any, &batch)? {
        AppendError::Invalid(invalid) => {
            assert_eq!(invalid.event_index(), Some(1));
            assert!(!AppendError::from(invalid.clone()).is_retryable());
            Ok(invalid)
        }
        other => Err(other.into()),
    }
}

fn invalid(outcome: Result<impl std::fmt::Debug, ReadError>) -> InvalidInput {
    match outcome {
        Err(ReadError::Invalid(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

/// Each as it is refused wherever a type, an id or a name is given.
fn bad_names() -> Vec<(String, Problem)> {
    let longest = "x".repeat(MAX_NAME_LENGTH);
    let control = |name: &str| StreamId::new(name, "id").unwrap_err().problem().clone();
    let mut names = vec![(String::new(), Problem::Empty)];
    for name in ["\0", "a\0", "line\n", "\u{7f}", "a\u{85}b", "\t"] {
        assert!(matches!(control(name), Problem::ControlCharacter { .. }), "{name:?}");
        names.push((name.to_owned(), control(name)));
    }
    for name in [format!("{longest}x"), "ä".repeat(256), "😀".repeat(1000)] {
        let length = name.chars().count();
        assert!(
            matches!(control(&name), Problem::TooLong { length: found, limit: 255, .. } if found == length)
        );
        names.push((name.clone(), control(&name)));
    }
    names
}

fn a_stream_that_cannot_be_named<D: TestDatabase>() -> Result {
    for (name, problem) in bad_names() {
        let aggregate_type = StreamId::new(name.as_str(), "id").unwrap_err();
        assert_eq!((aggregate_type.field(), aggregate_type.problem()), ("aggregate_type", &problem));
        let aggregate_id = StreamId::new("Type", &name).unwrap_err();
        assert_eq!((aggregate_id.field(), aggregate_id.problem()), ("aggregate_id", &problem));
        assert_eq!(aggregate_id.event_index(), None);
    }
    let refused = StreamId::new("User", "al\u{7}ice").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "aggregate_id has the control character '\\u{7}' at byte 2; control characters are not allowed"
    );
    Ok(())
}

fn names_as_long_as_the_limit_are_kept<D: TestDatabase>() -> Result {
    let (_db, mut conn, _) = with_one_event::<D>()?;
    let store = EventStore::new();
    for character in ["x", "ä", "😀"] {
        let longest = character.repeat(MAX_NAME_LENGTH);
        let stream = StreamId::new(longest.as_str(), &longest)?;
        let event = NewEvent::new(longest.clone(), &())?
            .trace_id(&longest)
            .correlation_id(&longest)
            .causation_id(&longest);
        let appended = store.append(&mut conn, &stream, ExpectedVersion::NoStream, &[event])?;
        assert_eq!(store.read_stream(&mut conn, &stream, ..)?.events(), appended.events());
        store.save_checkpoint(&mut conn, &longest, Position::START)?;
        assert!(store.checkpoint(&mut conn, &longest)?.is_some());
    }
    Ok(())
}

fn no_events<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = with_one_event::<D>()?;
    for stream in [alice, user("nobody")?] {
        match refusal(EventStore::new(), &mut conn, &stream, ExpectedVersion::Any, &[])? {
            AppendError::Invalid(invalid) => {
                assert_eq!((invalid.field(), invalid.problem()), ("events", &Problem::Empty));
                assert_eq!(invalid.event_index(), None);
                assert_eq!(invalid.to_string(), "events is empty");
            }
            other => return Err(other.into()),
        }
    }
    Ok(())
}

fn names_of_an_event_that_cannot_be_kept<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = with_one_event::<D>()?;
    for (name, problem) in bad_names() {
        let good = || NewEvent::new("Good", &());
        let events = HashMap::from([
            ("event_type", NewEvent::new(name.clone(), &())?),
            ("trace_id", good()?.trace_id(&name)),
            ("correlation_id", good()?.correlation_id(&name)),
            ("causation_id", good()?.causation_id(&name)),
        ]);
        for (field, event) in events {
            let invalid = refused_event(EventStore::new(), &mut conn, &alice, event)?;
            assert_eq!((invalid.field(), invalid.problem()), (field, &problem));
        }
    }
    Ok(())
}

fn the_message_counts_the_event<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = with_one_event::<D>()?;
    let event = NewEvent::new("", &())?;
    let invalid = refused_event(EventStore::new(), &mut conn, &alice, event)?;
    assert_eq!(invalid.to_string(), "event 1 of the batch: event_type is empty");
    Ok(())
}

fn an_event_version_below_one<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = with_one_event::<D>()?;
    for version in [0, -1, i32::MIN] {
        let event = NewEvent::new("Good", &())?.event_version(version);
        let invalid = refused_event(EventStore::new(), &mut conn, &alice, event)?;
        assert_eq!(invalid.field(), "event_version");
        assert!(matches!(
            invalid.problem(),
            Problem::OutOfRange { value, lowest: 1, .. } if *value == i64::from(version)
        ));
    }
    let event = [NewEvent::new("Good", &())?.event_version(i32::MAX)];
    EventStore::new().append(&mut conn, &alice, ExpectedVersion::Exact(1), &event)?;
    let newest = EventStore::new().read_stream(&mut conn, &alice, 2..)?;
    assert_eq!(newest.events()[0].event_version(), i32::MAX);
    Ok(())
}

fn text_that_is_not_json<D: TestDatabase>() -> Result {
    for text in
        ["", " ", "{", "{a: 1}", "'a'", "[1,]", "01", "1.", ".5", "NaN", "\"\n\"", "\"\\x\"", "1 2", "nul"]
    {
        let payload = NewEvent::from_json("Good", text).unwrap_err();
        assert_eq!(payload.field(), "payload");
        assert!(matches!(payload.problem(), Problem::NotJson { .. }), "{text:?}");
        let metadata = NewEvent::new("Good", &())?.metadata_json(text).unwrap_err();
        assert_eq!(metadata.field(), "metadata");
        assert!(matches!(metadata.problem(), Problem::NotJson { .. }), "{text:?}");
    }
    Ok(())
}

fn a_value_that_cannot_be_json<D: TestDatabase>() -> Result {
    let keyed_by_lists = HashMap::from([(vec![1], 2)]);
    let payload = NewEvent::new("Good", &keyed_by_lists).unwrap_err();
    assert_eq!(payload.field(), "payload");
    assert!(matches!(payload.problem(), Problem::NotSerializable { .. }));
    let metadata = NewEvent::new("Good", &())?.metadata(&keyed_by_lists).unwrap_err();
    assert_eq!(metadata.field(), "metadata");
    assert!(matches!(metadata.problem(), Problem::NotSerializable { .. }));
    Ok(())
}

fn json_that_is_nested_too_deep<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = with_one_event::<D>()?;
    let arrays = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let objects = |depth: usize| r#"{"a":"#.repeat(depth) + "1" + &"}".repeat(depth);
    let deepest = [arrays(MAX_JSON_DEPTH), objects(MAX_JSON_DEPTH), format!("\"{}\"", "[{".repeat(500))];
    for text in deepest {
        let event = NewEvent::from_json("Deep", text.as_str())?.metadata_json(text.as_str())?;
        let appended =
            EventStore::new().append(&mut conn, &alice, ExpectedVersion::StreamExists, &[event])?;
        let read = EventStore::new().read_stream(&mut conn, &alice, appended.version()..)?;
        let event = &read.events()[0];
        assert_eq!(event.payload_json(), text);
        assert_eq!(event.payload::<serde_json::Value>()?.to_string(), text);
        assert_eq!(event.metadata::<serde_json::Value>()?.map(|value| value.to_string()), Some(text));
    }
    for text in [arrays(MAX_JSON_DEPTH + 1), objects(MAX_JSON_DEPTH + 1), arrays(100_000)] {
        let payload = NewEvent::from_json("Deep", text.as_str()).unwrap_err();
        assert_eq!(payload.field(), "payload");
        assert!(matches!(payload.problem(), Problem::TooDeep { limit: MAX_JSON_DEPTH, .. }));
        let metadata = NewEvent::new("Deep", &())?.metadata_json(text.as_str()).unwrap_err();
        assert_eq!(metadata.field(), "metadata");
        assert!(matches!(metadata.problem(), Problem::TooDeep { .. }));
    }
    let mut value = serde_json::json!(1);
    for _ in 0..MAX_JSON_DEPTH {
        value = serde_json::json!([value]);
    }
    NewEvent::new("Deep", &value)?;
    let refused = NewEvent::new("Deep", &[value]).unwrap_err();
    assert!(matches!(refused.problem(), Problem::TooDeep { .. }));
    Ok(())
}

fn json_above_the_stores_limit<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = with_one_event::<D>()?;
    let store = EventStore::new().max_json_bytes(10);
    let (ten, eleven) = (r#""ääää""#, r#""ääää ""#);
    assert_eq!((ten.len(), eleven.len()), (10, 11));

    let largest = NewEvent::from_json("Good", ten)?.metadata_json(ten)?;
    store.append(&mut conn, &alice, ExpectedVersion::Exact(1), &[largest])?;

    for (field, event) in [
        ("payload", NewEvent::from_json("Good", eleven)?),
        ("metadata", NewEvent::from_json("Good", ten)?.metadata_json(eleven)?),
    ] {
        let invalid = refused_event(store, &mut conn, &alice, event.clone())?;
        assert_eq!(invalid.field(), field);
        assert!(matches!(invalid.problem(), Problem::TooLarge { bytes: 11, limit: 10, .. }));
        EventStore::new().append(&mut conn, &alice, ExpectedVersion::Any, &[event])?;
    }
    Ok(())
}

fn an_event_id_that_comes_twice_in_the_batch<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = with_one_event::<D>()?;
    let twice = NewEvent::new("Twice", &())?;
    let batch = [NewEvent::new("Once", &())?, twice.clone(), NewEvent::new("Once", &())?, twice.clone()];
    let refused = refusal(EventStore::new(), &mut conn, &alice, ExpectedVersion::Any, &batch)?;
    assert_duplicate(&refused, twice.id(), 3);
    // The batch is wrong wherever the stream is.
    let refused = refusal(EventStore::new(), &mut conn, &alice, ExpectedVersion::NoStream, &batch)?;
    assert_duplicate(&refused, twice.id(), 3);
    Ok(())
}

fn an_event_id_that_is_recorded_already<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = with_one_event::<D>()?;
    let store = EventStore::new();
    let recorded = store.read_stream(&mut conn, &alice, ..)?.events()[0].id();
    let again = NewEvent::new("Again", &())?.with_id(recorded);
    let batch = [NewEvent::new("Once", &())?, NewEvent::new("Once", &())?, again];
    for stream in [&alice, &user("bob")?, &StreamId::new("Order", "alice")?] {
        let refused = refusal(store, &mut conn, stream, ExpectedVersion::Any, &batch)?;
        assert_duplicate(&refused, recorded, 2);
    }
    // Its own error, also on a stream that is elsewhere.
    let refused = refusal(store, &mut conn, &alice, ExpectedVersion::NoStream, &batch)?;
    assert_duplicate(&refused, recorded, 2);
    Ok(())
}

fn assert_duplicate(error: &AppendError, id: Uuid, index: usize) {
    assert!(
        matches!(
            error,
            AppendError::DuplicateEventId { event_id, event_index, .. }
                if (*event_id, *event_index) == (id, index)
        ),
        "{error:?}"
    );
    assert!(error.conflict().is_none() && !error.is_retryable());
    assert_eq!(
        error.to_string(),
        format!("an event with the id {id} (event {index} of the batch) is recorded already")
    );
}

fn a_time_that_cannot_be_kept<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = with_one_event::<D>()?;
    let one_microsecond = chrono::TimeDelta::microseconds(1);
    let too_early = day(1000, 1, 1) - one_microsecond;
    let too_late = day(10_000, 1, 1);
    for time in [
        too_early,
        too_late,
        day(999, 1, 1),
        day(-1, 6, 1),
        DateTime::<Utc>::MIN_UTC,
        DateTime::<Utc>::MAX_UTC,
    ] {
        let event = NewEvent::new("Good", &())?.created_at(time);
        let invalid = refused_event(EventStore::new(), &mut conn, &alice, event)?;
        assert_eq!(invalid.field(), "created_at");
        assert!(
            matches!(
                invalid.problem(),
                Problem::TimeOutOfRange { earliest, latest, .. }
                    if *earliest == too_early + one_microsecond && *latest == too_late - one_microsecond
            ),
            "{time}"
        );
    }
    Ok(())
}

fn day(year: i32, month: u32, day: u32) -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(year, month, day)
        .and_then(|day| day.and_hms_opt(0, 0, 0))
        .expect("a day of the calendar")
        .and_utc()
}

fn an_expected_version_below_zero<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = with_one_event::<D>()?;
    for version in [-1, i64::MIN] {
        let expected = ExpectedVersion::Exact(version);
        match refusal(EventStore::new(), &mut conn, &alice, expected, &counted(1)?)? {
            AppendError::Invalid(invalid) => {
                assert_eq!(invalid.field(), "expected version");
                assert!(matches!(
                    invalid.problem(),
                    Problem::OutOfRange { value, lowest: 0, .. } if *value == version
                ));
            }
            other => return Err(other.into()),
        }
    }
    Ok(())
}

fn a_batch_that_would_overflow_the_version<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = with_one_event::<D>()?;
    let store = EventStore::new();
    let highest_but_one = i64::MAX - 1;
    execute(&mut conn, &format!("UPDATE aggregate_heads SET aggregate_version = {highest_but_one}"))?;
    // A head without its event would be refused for that.
    let last_event = format!(
        "INSERT INTO events (aggregate_type, aggregate_id, aggregate_version, event_id, event_type, event_version, \
         payload, created_at) SELECT aggregate_type, aggregate_id, {highest_but_one}, \
         '00000000-0000-0000-0000-000000000007', event_type, event_version, payload, created_at FROM events"
    );
    execute(&mut conn, &last_event)?;

    for expected in
        [ExpectedVersion::Any, ExpectedVersion::StreamExists, ExpectedVersion::Exact(highest_but_one)]
    {
        let refused = refusal(store, &mut conn, &alice, expected, &counted(2)?)?;
        assert_overflow(&refused, highest_but_one, 2);
    }
    let appended = store.append(&mut conn, &alice, ExpectedVersion::Any, &counted(1)?)?;
    assert_eq!((appended.previous_version(), appended.version()), (highest_but_one, i64::MAX));

    for expected in [ExpectedVersion::Any, ExpectedVersion::StreamExists, ExpectedVersion::Exact(i64::MAX)] {
        let refused = refusal(store, &mut conn, &alice, expected, &counted(1)?)?;
        assert_overflow(&refused, i64::MAX, 1);
    }
    // Whoever expects something else has a conflict all the same.
    for expected in [ExpectedVersion::NoStream, ExpectedVersion::Exact(highest_but_one)] {
        let refused = refusal(store, &mut conn, &alice, expected, &counted(1)?)?;
        assert_eq!(refused.conflict().map(|conflict| conflict.actual), Some(i64::MAX));
    }
    Ok(())
}

fn assert_overflow(error: &AppendError, at: i64, batch: usize) {
    let AppendError::Invalid(invalid) = error else { panic!("{error:?}") };
    assert_eq!((invalid.field(), invalid.event_index()), ("events", None));
    assert!(matches!(
        invalid.problem(),
        Problem::VersionOverflow { version, events, .. } if (*version, *events) == (at, batch)
    ));
}

fn a_limit_of_zero<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = with_one_event::<D>()?;
    let store = EventStore::new();
    for refused in [
        invalid(store.read_forward(&mut conn, Position::START, 0)),
        invalid(store.read_backward(&mut conn, Position::END, 0)),
        invalid(store.read_log(&mut conn, &LogQuery::after(Position::START), 0)),
        invalid(store.read_stream(&mut conn, &alice, StreamQuery::from(..).limit(0))),
        invalid(store.read_stream(&mut conn, &alice, StreamQuery::from(..).backward().limit(0))),
    ] {
        assert_eq!(refused.field(), "limit");
        assert!(matches!(refused.problem(), Problem::OutOfRange { value: 0, lowest: 1, .. }));
    }
    let nothing = LogQuery::after(Position::START).max_bytes(0);
    for refused in [
        invalid(store.read_log(&mut conn, &nothing, 10)),
        invalid(store.iter_log(&mut conn, nothing.clone()).collect::<std::result::Result<Vec<_>, _>>()),
    ] {
        assert_eq!(refused.field(), "max_bytes");
        assert!(matches!(refused.problem(), Problem::OutOfRange { value: 0, lowest: 1, .. }));
    }
    Ok(())
}

fn a_range_of_versions_below_zero<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = with_one_event::<D>()?;
    let store = EventStore::new();
    for (field, query) in [
        ("from version", StreamQuery::from(-1..)),
        ("from version", StreamQuery::from(i64::MIN..=5)),
        ("to version", StreamQuery::from(..=-1)),
        ("to version", StreamQuery::from(..0)),
        ("to version", StreamQuery::from(..i64::MIN)),
    ] {
        let refused = invalid(store.read_stream(&mut conn, &alice, query));
        assert_eq!(refused.field(), field);
        assert!(matches!(refused.problem(), Problem::OutOfRange { lowest: 0, .. }));
    }
    Ok(())
}

fn a_range_of_versions_that_ends_before_it_begins<D: TestDatabase>() -> Result {
    let (_db, mut conn, alice) = with_one_event::<D>()?;
    let store = EventStore::new();
    #[allow(clippy::reversed_empty_ranges)] // what is refused
    let queries = [StreamQuery::from(2..=1), StreamQuery::from(5..2), StreamQuery::from(2..2)];
    for query in queries {
        for query in [query.clone(), query.backward()] {
            let refused = invalid(store.read_stream(&mut conn, &alice, query));
            assert_eq!(refused.field(), "range of versions");
            assert!(matches!(refused.problem(), Problem::BackwardRange { .. }));
        }
    }
    Ok(())
}

fn a_filter_that_names_nothing<D: TestDatabase>() -> Result {
    let (_db, mut conn, _) = with_one_event::<D>()?;
    let store = EventStore::new();
    let all = || LogQuery::after(Position::START);
    for (field, query) in [
        ("aggregate_types", all().aggregate_types([""; 0])),
        ("event_types", all().event_types([""; 0])),
        ("event_types", all().aggregate_types(["User"]).event_types([""; 0])),
        ("correlation_id", all().correlation_id("")),
    ] {
        let refused = invalid(store.read_log(&mut conn, &query, 10));
        assert_eq!((refused.field(), refused.problem()), (field, &Problem::Empty));
    }
    Ok(())
}

fn a_filter_by_a_name_that_nothing_can_have<D: TestDatabase>() -> Result {
    let (_db, mut conn, _) = with_one_event::<D>()?;
    let store = EventStore::new();
    let all = || LogQuery::after(Position::START);
    for (name, problem) in bad_names() {
        for (field, query) in [
            ("aggregate_types", all().aggregate_types(["User", &name])),
            ("event_types", all().event_types(["Good", &name])),
            ("correlation_id", all().correlation_id(&name)),
        ] {
            let refused = invalid(store.read_log(&mut conn, &query, 10));
            assert_eq!((refused.field(), refused.problem()), (field, &problem));
        }
    }
    Ok(())
}

fn a_position_below_zero<D: TestDatabase>() -> Result {
    for position in [-1, i64::MIN] {
        let refused = Position::new(position).unwrap_err();
        assert_eq!(refused.field(), "position");
        assert!(matches!(refused.problem(), Problem::OutOfRange { lowest: 0, .. }));
        assert_eq!(Position::try_from(position), Err(refused));
    }
    Ok(())
}

fn a_projection_that_cannot_be_named<D: TestDatabase>() -> Result {
    let (_db, mut conn, _) = with_one_event::<D>()?;
    let store = EventStore::new();
    for (name, problem) in bad_names() {
        for refused in [
            store.checkpoint(&mut conn, &name).map(drop),
            store.save_checkpoint(&mut conn, &name, Position::START),
            store.rewind_checkpoint(&mut conn, &name, Position::START),
            store.delete_checkpoint(&mut conn, &name).map(drop),
        ] {
            match refused.unwrap_err() {
                CheckpointError::Invalid(invalid) => {
                    assert_eq!((invalid.field(), invalid.problem()), ("projection_name", &problem));
                }
                other => return Err(other.into()),
            }
        }
    }
    assert!(store.checkpoints(&mut conn)?.is_empty());
    Ok(())
}
