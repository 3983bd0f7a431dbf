//! A real log, read as typed events and counted.

use diesel::Connection;
use diesel_event_store::{
    Decoded, Event, EventConnection, EventError, EventFilter, EventProblem, EventStore, EventType,
    ExpectedVersion, InvalidInput, LogReport, NewEvent, ReadError, RecordedEvent,
};
use test_support::{Result, TestDatabase, user};

tests! {
    events_are_counted_by_type_version_and_error,
    the_filter_says_which,
    a_log_of_several_pages_is_counted_once,
    inside_a_transaction_it_counts_what_was_committed,
    a_person_reads_the_report,
    a_filter_that_names_nothing_is_refused,
}

/// By hand, so that the suite also runs without the derive macro.
struct UserEvent;

impl Event for UserEvent {
    const TYPES: &'static [EventType] = &[EventType::new("Renamed", 2), EventType::new("Seen", 1)];

    fn event_type(&self) -> EventType {
        Self::TYPES[0]
    }

    fn to_new(&self) -> std::result::Result<NewEvent, InvalidInput> {
        NewEvent::new("Renamed", "Al")
    }

    fn decode(recorded: &RecordedEvent) -> std::result::Result<Decoded<Self>, EventError> {
        match (recorded.event_type(), recorded.event_version()) {
            ("Seen", _) => Ok(Decoded::Ignored),
            ("Renamed", 1) => Err(EventError::upcast(recorded, 1, "nothing is known of it")),
            ("Renamed", 2) => serde_json::from_str::<String>(recorded.payload_json())
                .map(|_| Decoded::Many(vec![Self, Self]))
                .map_err(|error| EventError::undecodable(recorded, error)),
            ("Renamed", _) => Err(EventError::newer_version(recorded, 2)),
            _ => Err(EventError::unknown_type(recorded)),
        }
    }
}

const LOG: [(&str, i32, &str); 9] = [
    ("Renamed", 1, r#""Al""#),
    ("Renamed", 2, r#""Al""#),
    ("Seen", 1, "null"),
    ("Renamed", 2, "7"),
    ("Lost", 1, "null"),
    ("Renamed", 3, r#""Al""#),
    ("Renamed", 2, r#""Bo""#),
    ("Renamed", 2, "8"),
    ("Seen", 1, "null"),
];

fn append<C: EventConnection>(conn: &mut C, events: &[(&'static str, i32, &str)]) -> Result {
    let new = |&(name, version, json): &(&'static str, i32, &str)| {
        Ok(NewEvent::from_json(name, json)?.event_version(version))
    };
    let events = events.iter().map(new).collect::<Result<Vec<_>>>()?;
    EventStore::new().append(conn, &user("alice")?, ExpectedVersion::Any, &events)?;
    Ok(())
}

fn check<C: EventConnection>(conn: &mut C) -> std::result::Result<LogReport, ReadError> {
    EventStore::new().check_log::<UserEvent>(conn, EventFilter::new())
}

/// Type, version, read, ignored, not readable.
fn counted(report: &LogReport) -> Vec<(&str, i32, u64, u64, u64)> {
    let counts = report.types().map(|of_type| {
        let (name, version) = (of_type.event_type(), of_type.event_version());
        (name, version, of_type.read(), of_type.ignored(), of_type.unreadable())
    });
    counts.collect()
}

const COUNTED: [(&str, i32, u64, u64, u64); 5] = [
    ("Lost", 1, 0, 0, 1),
    ("Renamed", 1, 0, 0, 1),
    ("Renamed", 2, 2, 0, 2),
    ("Renamed", 3, 0, 0, 1),
    ("Seen", 1, 0, 2, 0),
];

fn events_are_counted_by_type_version_and_error<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    append(&mut conn, &LOG)?;
    let report = check(&mut conn)?;
    assert_eq!(counted(&report), COUNTED);
    assert_eq!((report.events(), report.unreadable()), (9, 5));
    let errors: Vec<_> = report.types().flat_map(|of_type| of_type.errors()).collect();
    assert!(matches!(errors[0].first().problem(), EventProblem::UnknownType));
    assert!(matches!(errors[1].first().problem(), EventProblem::Upcast { from_version: 1, .. }));
    assert!(matches!(errors[2].first().problem(), EventProblem::Undecodable { .. }));
    assert!(matches!(errors[3].first().problem(), EventProblem::NewerVersion { newest: 2, .. }));
    assert_eq!((errors.len(), errors[2].events(), errors[2].first().event().version), (4, 2, 4));
    Ok(())
}

fn the_filter_says_which<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    append(&mut conn, &LOG)?;
    let known = EventFilter::new().event_types(UserEvent::TYPES.iter().map(|known| known.name()));
    let report = EventStore::new().check_log::<UserEvent>(&mut conn, known)?;
    assert_eq!(counted(&report), COUNTED[1..]);
    Ok(())
}

fn a_log_of_several_pages_is_counted_once<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let events = [("Renamed", 2, r#""Al""#); 600];
    append(&mut conn, &events)?;
    append(&mut conn, &events)?;
    assert_eq!(counted(&check(&mut conn)?), [("Renamed", 2, 1200, 0, 0)]);
    Ok(())
}

fn inside_a_transaction_it_counts_what_was_committed<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    append(&mut conn, &LOG)?;
    EventStore::new().publish_position(&mut conn)?;
    let report = conn.transaction(|conn| Ok::<_, Box<dyn std::error::Error + Send + Sync>>(check(conn)?))?;
    assert_eq!(counted(&report), COUNTED);
    Ok(())
}

fn a_person_reads_the_report<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    append(&mut conn, &LOG)?;
    let report = check(&mut conn)?.to_string();
    let lines: Vec<_> = report.lines().collect();
    assert_eq!(lines[0], "9 events, of which 5 cannot be read");
    assert_eq!(lines[1], "  Lost version 1: 0 read");
    assert!(lines[2].starts_with("    1 cannot be read, the first is Lost version 1, event 5 of User/alice"));
    assert_eq!(lines[9], "  Seen version 1: 0 read, 2 ignored");
    assert_eq!(lines.len(), 10, "{report}");
    Ok(())
}

fn a_filter_that_names_nothing_is_refused<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let none = EventFilter::new().event_types(Vec::<String>::new());
    let refused = EventStore::new().check_log::<UserEvent>(&mut db.connect()?, none);
    assert!(matches!(refused, Err(ReadError::Invalid(invalid)) if invalid.field() == "event_types"));
    Ok(())
}
