//! What goes in comes out.

use chrono::{DateTime, Utc};
use diesel_event_store::{
    EventConnection, EventStore, ExpectedVersion, LogQuery, NewEvent, Position, RecordedEvent, StreamId,
    chrono,
};
use test_support::{Result, TestDatabase, user};

tests! {
    json_text_is_kept_byte_for_byte,
    a_large_payload_is_kept_whole,
    a_payload_of_tens_of_megabytes_is_kept_whole,
    no_metadata_is_not_the_metadata_null,
    a_payload_is_decoded_as_the_type_that_was_written,
    a_payload_of_another_form_is_an_error_that_names_the_event,
    aggregates_are_told_apart_to_the_character,
    names_of_events_are_told_apart_to_the_character,
    times_are_kept_to_the_microsecond,
    what_is_finer_than_a_microsecond_is_cut_off,
    times_do_not_decide_the_order,
}

fn append_and_read(conn: &mut impl EventConnection, event: NewEvent) -> Result<RecordedEvent> {
    let (store, id) = (EventStore::new(), event.id());
    let appended = store.append(conn, &user("alice")?, ExpectedVersion::Any, &[event])?;
    let read = store.read_event(conn, id)?.ok_or("it was just appended")?;
    assert_eq!(appended.events(), std::slice::from_ref(&read));
    Ok(read)
}

fn json_text_is_kept_byte_for_byte<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for text in [
        "null",
        "true",
        "0",
        "-0",
        "1.50",
        "1e400",
        "1E+2",
        "123456789012345678901234567890",
        "0.1000000000000000055511151231257827",
        r#""""#,
        r#""\u0000""#,
        r#""a\u0000b""#,
        r#""\ud83d\ude00 is 😀""#,
        r#""\u00e9 \/ / \" \\ \b\f\n\r\t""#,
        "\"é e\u{301} \u{7f} \u{2028} \u{feff} \u{10ffff}\"",
        r#"{"b":1,"a":2,"B":3}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"":{"":[]}}"#,
        r#"{ "a" : [ 1 ,2 ] }"#,
        " \t\r\n{} \t\r\n",
        r#""'; DROP TABLE events; -- ? $1 %s""#,
        r#""\\""#,
    ] {
        let event = NewEvent::from_json("Text", text)?.metadata_json(text)?;
        let read = append_and_read(&mut conn, event)?;
        assert_eq!(read.payload_json(), text);
        assert_eq!(read.metadata_json(), Some(text));
    }
    Ok(())
}

fn a_large_payload_is_kept_whole<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let text = format!("\"{}\"", "😀é\\u0000".repeat(100_000));
    let read = append_and_read(&mut conn, NewEvent::from_json("Large", text.as_str())?)?;
    assert!(read.payload_json() == text);
    Ok(())
}

/// A server of MySQL or MariaDB takes it if its `max_allowed_packet` is large enough, 64 MiB say.
fn a_payload_of_tens_of_megabytes_is_kept_whole<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new().max_json_bytes(64 << 20), user("alice")?);
    let text = format!("\"{}\"", "x".repeat(24 << 20));
    let events = [NewEvent::from_json("Huge", text.as_str())?, NewEvent::new("Small", &())?];
    let appended = store.append(&mut conn, &alice, ExpectedVersion::NoStream, &events)?;
    let stream = store.read_stream(&mut conn, &alice, ..)?;
    assert!(stream.events() == appended.events());
    assert!(stream.events()[0].payload_json() == text);
    Ok(())
}

fn no_metadata_is_not_the_metadata_null<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let none = append_and_read(&mut conn, NewEvent::new("None", &())?)?;
    assert_eq!(none.metadata_json(), None);
    assert_eq!(none.metadata::<Option<i32>>()?, None);
    let null = append_and_read(&mut conn, NewEvent::new("Null", &())?.metadata(&())?)?;
    assert_eq!(null.metadata_json(), Some("null"));
    assert_eq!(null.metadata::<Option<i32>>()?, Some(None));
    Ok(())
}

fn a_payload_is_decoded_as_the_type_that_was_written<D: TestDatabase>() -> Result {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Deposited {
        cents: u64,
        rate: f64,
        note: Option<String>,
        tags: Vec<String>,
    }
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let deposited = Deposited {
        cents: u64::MAX,
        rate: 0.125,
        note: Some("zero \0 and \"quotes\"".into()),
        tags: vec!["😀".into(), String::new()],
    };
    let read = append_and_read(&mut conn, NewEvent::new("Deposited", &deposited)?.metadata(&deposited)?)?;
    assert_eq!(read.payload::<Deposited>()?, deposited);
    assert_eq!(read.metadata::<Deposited>()?, Some(deposited));
    assert_eq!(
        append_and_read(&mut conn, NewEvent::new("Text", "borrowed")?)?.payload::<&str>()?,
        "borrowed"
    );
    Ok(())
}

fn a_payload_of_another_form_is_an_error_that_names_the_event<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let read = append_and_read(&mut conn, NewEvent::new("Renamed", "Alice")?.metadata(&7)?)?;
    let payload = read.payload::<u64>().unwrap_err();
    assert_eq!((payload.field, payload.event_type.as_str(), payload.version), ("payload", "Renamed", 1));
    assert_eq!((&payload.stream, payload.position), (read.stream(), read.position()));
    let metadata = read.metadata::<String>().unwrap_err();
    assert_eq!(metadata.field, "metadata");
    assert!(metadata.to_string().starts_with("metadata of Renamed, version 1 of User/alice at position "));
    Ok(())
}

/// What some database would take for the same, or for a pattern, or would trim, fold or normalise.
const LOOKALIKES: [&str; 37] = [
    "a",
    "A",
    "a ",
    "a  ",
    " a",
    "\u{a0}a",
    "\u{e1}",
    "a\u{301}",
    "\u{e0}",
    "\u{e4}",
    "a\u{308}",
    "\u{c5}",
    "\u{212b}",
    "A\u{30a}",
    "\u{ff41}",
    "ß",
    "ss",
    "SS",
    "\u{fb01}",
    "fi",
    "i",
    "İ",
    "ı",
    "😀",
    "😁",
    "👩\u{200d}💻",
    "👩💻",
    "a\u{200b}",
    "%",
    "_",
    "'",
    "\"",
    "\\",
    "null",
    "0",
    "00",
    "1.0",
];

fn aggregates_are_told_apart_to_the_character<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    let mut streams = Vec::new();
    for name in LOOKALIKES {
        streams.push(StreamId::new("User", name)?);
        streams.push(StreamId::new(name, "1")?);
    }
    for (stream, number) in streams.iter().zip(0..) {
        let event = NewEvent::new("Numbered", &number)?;
        store.append(&mut conn, stream, ExpectedVersion::NoStream, &[event])?;
    }
    for (stream, number) in streams.iter().zip(0..) {
        let read = store.read_stream(&mut conn, stream, ..)?;
        assert_eq!((read.len(), store.version(&mut conn, stream)?), (1, 1), "{stream:?}");
        assert_eq!(read.events()[0].stream(), stream);
        assert_eq!(read.events()[0].payload::<i64>()?, number, "{stream:?}");
    }
    Ok(())
}

fn names_of_events_are_told_apart_to_the_character<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    for name in LOOKALIKES {
        let event = NewEvent::new(name, &())?.trace_id(name).correlation_id(name).causation_id(name);
        let read = append_and_read(&mut conn, event)?;
        assert_eq!(read.event_type(), name);
        assert_eq!(read.trace_id(), Some(name));
        assert_eq!(read.correlation_id(), Some(name));
        assert_eq!(read.causation_id(), Some(name));
    }
    for name in LOOKALIKES {
        let all = || LogQuery::after(Position::START);
        for query in [all().event_types([name]), all().correlation_id(name)] {
            let found = store.read_log(&mut conn, &query, 10)?;
            assert_eq!((found.len(), found.events()[0].event_type()), (1, name));
        }
    }
    Ok(())
}

fn times_are_kept_to_the_microsecond<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for text in [
        "1000-01-01T00:00:00Z",
        "1000-01-01T00:00:00.000001Z",
        "1582-10-10T12:00:00.5Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "2010-10-02T07:20:39.266Z",
        "2026-03-29T01:30:00.123456Z",
        "2038-01-19T03:14:08.000001Z",
        "9999-12-31T23:59:59.999999Z",
    ] {
        let time: DateTime<Utc> = text.parse()?;
        let read = append_and_read(&mut conn, NewEvent::new("Timed", &())?.created_at(time))?;
        assert_eq!(read.created_at(), time);
    }
    Ok(())
}

fn what_is_finer_than_a_microsecond_is_cut_off<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for (given, kept) in [
        ("2026-11-22T05:12:45.403334999Z", "2026-11-22T05:12:45.403334Z"),
        ("2026-11-22T05:12:45.999999999Z", "2026-11-22T05:12:45.999999Z"),
        ("2026-11-22T05:12:45.000000001Z", "2026-11-22T05:12:45Z"),
        ("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999Z"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999Z"),
        // A leap second becomes the last microsecond before it.
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z"),
        ("2016-12-31T23:59:60.5Z", "2016-12-31T23:59:59.999999Z"),
    ] {
        let event = NewEvent::new("Timed", &())?.created_at(given.parse::<DateTime<Utc>>()?);
        let read = append_and_read(&mut conn, event)?;
        assert_eq!(read.created_at(), kept.parse::<DateTime<Utc>>()?, "{given}");
    }
    Ok(())
}

fn times_do_not_decide_the_order<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let times = ["2026-01-01T00:00:00Z", "1999-01-01T00:00:00Z", "2030-01-01T00:00:00Z"];
    for time in times {
        append_and_read(&mut conn, NewEvent::new("Timed", &())?.created_at(time.parse::<DateTime<Utc>>()?))?;
    }
    let log = EventStore::new().read_forward(&mut conn, Position::START, 10)?;
    let read: Vec<_> = log.events().iter().map(RecordedEvent::created_at).collect();
    assert_eq!(read, times.map(|time| time.parse::<DateTime<Utc>>().expect("a time")));
    Ok(())
}
