//! Any JSON, any name that is allowed and any time comes back as it went in; any other is refused.

use chrono::{DateTime, Utc};
use diesel_event_store::{
    AppendError, EventConnection, EventStore, ExpectedVersion, LogQuery, MAX_NAME_LENGTH, MAX_TENANT_LENGTH,
    NewEvent, Position, RecordedEvent, StreamId, chrono,
};
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use serde_json::Value;
use test_support::{Result, TestDatabase, for_all, user};

tests! {
    any_json_text_is_kept_byte_for_byte,
    any_value_is_decoded_as_it_was_written,
    any_name_without_control_characters_is_kept,
    any_tenant_without_control_characters_is_kept,
    any_other_name_is_refused,
    any_time_of_nine_thousand_years_is_kept_to_the_microsecond,
}

const CASES: u32 = 100;

fn append_and_read(
    conn: &mut impl EventConnection,
    stream: &StreamId,
    event: NewEvent,
) -> Result<RecordedEvent> {
    let (store, id) = (EventStore::new(), event.id());
    let appended = store.append(conn, stream, ExpectedVersion::Any, &[event])?;
    let read = store.read_event(conn, id)?.ok_or("it was just appended")?;
    assert_eq!(appended.events(), std::slice::from_ref(&read));
    Ok(read)
}

fn any_json_text_is_kept_byte_for_byte<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for_all(&mut conn, CASES, &(json_text(), prop::option::of(json_text())), |conn, (payload, metadata)| {
        let mut event = NewEvent::from_json("Text", payload.as_str())?;
        if let Some(metadata) = &metadata {
            event = event.metadata_json(metadata.as_str())?;
        }
        let read = append_and_read(conn, &user("alice")?, event)?;
        assert_eq!(read.payload_json(), payload);
        assert_eq!(read.metadata_json(), metadata.as_deref());
        Ok(())
    })
}

fn any_value_is_decoded_as_it_was_written<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for_all(&mut conn, CASES, &json_value(), |conn, value| {
        let event = NewEvent::new("Value", &value)?.metadata(&value)?;
        let read = append_and_read(conn, &user("alice")?, event)?;
        assert_eq!(read.payload_json(), serde_json::to_string(&value)?);
        assert_eq!(read.payload::<Value>()?, value);
        assert_eq!(read.metadata::<Value>()?, Some(value));
        Ok(())
    })
}

/// JSON as it may be written by hand: spaces, any digits, any escapes, keys that repeat.
fn json_text() -> BoxedStrategy<String> {
    let number = r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?";
    let character = prop_oneof![
        4 => any::<char>().prop_filter("escaped", |c| !c.is_ascii_control() && !['"', '\\'].contains(c))
            .prop_map(String::from),
        1 => r#"\\["\\/bfnrt]"#,
        1 => r"\\u00[0-9a-fA-F]{2}",
    ];
    let string = prop::collection::vec(character, 0..8).prop_map(|parts| format!("\"{}\"", parts.concat()));
    let string = string.boxed();
    let scalar = prop_oneof![Just("null".to_owned()), Just("true".to_owned()), number, string.clone()];
    let text = scalar.prop_recursive(5, 40, 5, move |inner| {
        let items = prop::collection::vec(spaced(inner.clone()), 0..5);
        let key = prop_oneof![Just("\"same\"".to_owned()), string.clone()];
        let entry = (spaced(key), spaced(inner)).prop_map(|(key, value)| format!("{key}:{value}"));
        prop_oneof![
            items.prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(entry, 0..5).prop_map(|entries| format!("{{{}}}", entries.join(","))),
        ]
    });
    spaced(text).boxed()
}

fn spaced(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    ("[ \t\r\n]{0,2}", text, "[ \t\r\n]{0,2}").prop_map(|(before, text, after)| before + &text + &after)
}

fn json_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("it is finite", |number| number.is_finite()).prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    scalar.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(any_text(), inner, 0..5).prop_map(Value::from_iter),
        ]
    })
}

fn any_text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..8).prop_map(String::from_iter)
}

fn any_name_without_control_characters_is_kept<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let names = (name(), name(), name(), name());
    for_all(&mut conn, CASES, &names, |conn, (aggregate_type, aggregate_id, event_type, correlation_id)| {
        let store = EventStore::new();
        let stream = StreamId::new(aggregate_type.as_str(), &aggregate_id)?;
        let event = NewEvent::new(event_type.clone(), &())?
            .correlation_id(&correlation_id)
            .causation_id(&aggregate_id)
            .trace_id(&aggregate_type);
        let read = append_and_read(conn, &stream, event)?;
        assert_eq!((read.aggregate_type(), read.aggregate_id()), (&*aggregate_type, &*aggregate_id));
        assert_eq!(read.event_type(), event_type);
        assert_eq!(read.correlation_id(), Some(&*correlation_id));
        assert_eq!(read.causation_id(), Some(&*aggregate_id));
        assert_eq!(read.trace_id(), Some(&*aggregate_type));

        let found = store.read_stream(conn, &stream, read.version()..)?;
        assert_eq!(found.events(), std::slice::from_ref(&read));
        let query = LogQuery::before(Position::END)
            .aggregate_types([aggregate_type])
            .event_types([event_type.as_str()])
            .correlation_id(&correlation_id);
        assert_eq!(store.read_log(conn, &query, 1)?.into_events(), [read]);

        store.rewind_checkpoint(conn, &event_type, Position::new(7)?)?;
        let checkpoint = store.checkpoint(conn, &event_type)?;
        assert_eq!(checkpoint.as_ref().map(|checkpoint| checkpoint.projection_name()), Some(&*event_type));
        Ok(())
    })
}

fn any_tenant_without_control_characters_is_kept<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for_all(&mut conn, CASES, &(name(), name()), |conn, (tenant, aggregate_id)| {
        let store = EventStore::new();
        let tenant: String = tenant.chars().take(MAX_TENANT_LENGTH).collect();
        let stream = user(&aggregate_id)?.in_tenant(&tenant)?;
        let read = append_and_read(conn, &stream, NewEvent::new("Kept", &())?)?;
        assert_eq!((read.tenant_id(), read.stream()), (Some(&*tenant), &stream));

        let found = store.read_stream(conn, &stream, read.version()..)?;
        assert_eq!(found.events(), std::slice::from_ref(&read));
        let query = LogQuery::before(Position::END).tenant(&tenant);
        assert_eq!(store.read_log(conn, &query, 1)?.into_events(), [read]);
        Ok(())
    })
}

fn character() -> impl Strategy<Value = char> {
    let awkward = prop::sample::select(vec!['a', 'A', ' ', 'ä', '\u{308}', '\'', '"', '\\', '%', '_', '😀']);
    prop_oneof![any::<char>(), awkward].prop_filter("a control character", |c| !c.is_control())
}

fn name() -> impl Strategy<Value = String> {
    let lengths = prop_oneof![1..=20_usize, MAX_NAME_LENGTH - 2..=MAX_NAME_LENGTH];
    lengths.prop_flat_map(|length| prop::collection::vec(character(), length)).prop_map(String::from_iter)
}

/// Empty, longer than the limit, or with a control character somewhere in it.
fn bad_name() -> impl Strategy<Value = String> {
    let controls: Vec<char> = ('\0'..='\u{ff}').filter(|c| c.is_control()).collect();
    let with_control = (name(), prop::sample::select(controls), any::<prop::sample::Index>());
    prop_oneof![
        1 => Just(String::new()),
        4 => prop::collection::vec(character(), MAX_NAME_LENGTH + 1..2 * MAX_NAME_LENGTH)
            .prop_map(String::from_iter),
        8 => with_control.prop_map(|(name, control, place)| {
            let mut characters: Vec<char> = name.chars().take(MAX_NAME_LENGTH - 1).collect();
            characters.insert(place.index(characters.len() + 1), control);
            String::from_iter(characters)
        }),
    ]
}

fn any_other_name_is_refused<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    for field in ["event_type", "trace_id", "correlation_id", "causation_id"] {
        for_all(&mut conn, CASES / 4, &bad_name(), |conn, name| {
            assert_eq!(StreamId::new(name.as_str(), "id").unwrap_err().field(), "aggregate_type");
            assert_eq!(StreamId::new("Type", &name).unwrap_err().field(), "aggregate_id");
            assert_eq!(user("alice")?.in_tenant(&name).unwrap_err().field(), "tenant_id");
            let good = NewEvent::new("Good", &())?;
            let event = match field {
                "event_type" => NewEvent::new(name.clone(), &())?,
                "trace_id" => good.trace_id(&name),
                "correlation_id" => good.correlation_id(&name),
                _ => good.causation_id(&name),
            };
            let refused = store.append(conn, &alice, ExpectedVersion::Any, &[event]);
            assert!(
                matches!(refused, Err(AppendError::Invalid(invalid)) if invalid.field() == field),
                "{field} {name:?}"
            );
            Ok(())
        })?;
    }
    assert_eq!(store.version(&mut conn, &alice)?, 0);
    Ok(())
}

fn any_time_of_nine_thousand_years_is_kept_to_the_microsecond<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let first: DateTime<Utc> = "1000-01-01T00:00:00Z".parse()?;
    let last: DateTime<Utc> = "9999-12-31T23:59:59Z".parse()?;
    let times = (first.timestamp()..=last.timestamp(), 0..1_000_000_u32, 0..1_000_u32);
    let mut conn = db.connect()?;
    for_all(&mut conn, CASES, &times, |conn, (seconds, micros, nanos)| {
        let time = |nanos| DateTime::from_timestamp(seconds, micros * 1_000 + nanos).expect("a time");
        let event = NewEvent::new("Timed", &())?.created_at(time(nanos));
        let read = append_and_read(conn, &user("alice")?, event)?;
        assert_eq!(read.created_at(), time(0));
        Ok(())
    })
}
