//! Events from elsewhere, which no store has recorded yet.

use diesel_event_store::operate::{freeze, verify};
use diesel_event_store::transfer::{ImportError, Imported, import_new};
use diesel_event_store::{EventStore, ExpectedVersion, Position, RecordedEvent, StreamId};
use test_support::{LONG, Result, TestDatabase, count, counted, user};

use super::empty;

tests! {
    lines_are_appended_as_new_events,
    what_is_there_is_skipped,
    a_line_that_is_wrong_is_refused_before_anything_is_written,
    another_event_with_the_id_is_refused,
    what_was_appended_in_part_goes_on,
}

const STORE: EventStore = EventStore::new();

fn bring<C>(conn: &mut C, file: &str) -> Result<Imported, ImportError>
where
    C: diesel_event_store::EventConnection + ?Sized,
{
    import_new(conn, || Ok(file.as_bytes()))
}

fn line(id: &str, rest: &str) -> String {
    format!(r#"{{"aggregate_type":"User","aggregate_id":"{id}","event_type":"Counted"{rest}}}"#)
}

fn events<C: diesel_event_store::EventConnection>(conn: &mut C) -> Result<Vec<RecordedEvent>> {
    Ok(STORE.read_forward(conn, Position::START, 5_000)?.into_events())
}

fn lines_are_appended_as_new_events<D: TestDatabase>() -> Result {
    let (_db, mut conn) = empty::<D>()?;
    STORE.append(&mut conn, &user("alice")?, ExpectedVersion::NoStream, &counted(2)?)?;
    let (id, time) = ("0198c2a0-0000-7000-8000-000000000001", "2019-01-02T03:04:05.678901Z");
    let all = format!(
        r#","event_version":3,"payload":{{"n": 1e400}},"metadata_text":"[1,\n2]","trace_id":"t","correlation_id":"c","causation_id":"\"x","event_id":"{id}","created_at":"{time}","tenant_id":"acme""#
    );
    // The last line may end without a line break, as a hand has written it.
    let file = [line("alice", r#","payload":null"#), line("bob", &all)].join("\n");
    let brought = bring(&mut conn, &file)?;
    assert_eq!((brought.events(), brought.skipped()), (2, 0));
    assert_eq!(brought.last_position(), STORE.last_position(&mut conn)?);

    let events = events(&mut conn)?;
    let (plain, full) = (&events[2], &events[3]);
    assert_eq!((plain.stream(), plain.version(), plain.event_version()), (&user("alice")?, 3, 1));
    assert_eq!((plain.payload_json(), plain.metadata_json()), ("null", None));
    assert_eq!(full.stream(), &StreamId::new("User", "bob")?.in_tenant("acme")?);
    assert_eq!((full.id().to_string().as_str(), full.event_version(), full.version()), (id, 3, 1));
    assert_eq!(full.created_at(), time.parse::<chrono::DateTime<chrono::Utc>>()?);
    assert_eq!((full.payload_json(), full.metadata_json()), (r#"{"n": 1e400}"#, Some("[1,\n2]")));
    assert_eq!(
        (full.trace_id(), full.correlation_id(), full.causation_id()),
        (Some("t"), Some("c"), Some("\"x"))
    );
    assert!(verify(&mut conn)?.is_sound());
    Ok(())
}

fn what_is_there_is_skipped<D: TestDatabase>() -> Result {
    let ((_db, mut conn), (_other, mut other)) = (empty::<D>()?, empty::<D>()?);
    // Equal lines are events of their own.
    let file = (line("alice", r#","payload":1"#) + "\n").repeat(3);
    assert_eq!(bring(&mut conn, &file)?.events(), 3);
    let longer = file.clone() + &line("alice", r#","payload":2"#) + "\n";
    let again = bring(&mut conn, &longer)?;
    assert_eq!((again.events(), again.skipped(), again.last_position().get()), (1, 3, 4));
    // No two logs have the same ids.
    bring(&mut other, &file)?;
    assert_ne!(events(&mut conn)?[0].id(), events(&mut other)?[0].id());
    Ok(())
}

fn a_line_that_is_wrong_is_refused_before_anything_is_written<D: TestDatabase>() -> Result {
    let (_db, mut conn) = empty::<D>()?;
    let good = line("alice", r#","payload":1"#);
    let long = "x".repeat(256);
    let id = r#","payload":1,"event_id":"0198c2a0-0000-7000-8000-000000000001""#;
    for (second, said) in [
        ("{}".to_owned(), "missing field `aggregate_type`"),
        (String::new(), "EOF while parsing"),
        (line("bob", ""), "payload is empty"),
        (line("bob", r#","payload":{"#), "EOF while parsing"),
        (line("bob", r#","payload":1,"global_position":7"#), "unknown field `global_position`"),
        (line("bob", r#","payload":1,"event_id":"7""#), "event_id \"7\""),
        (line("bob", r#","payload":1,"created_at":"yesterday""#), "created_at \"yesterday\""),
        (line("bob", r#","payload":1,"event_version":0"#), "event_version"),
        (line(&long, r#","payload":1"#), "aggregate_id"),
        (format!("{}\n{}", line("bob", id), line("bob", id)), "stands in an earlier line"),
    ] {
        let refused = bring(&mut conn, &format!("{good}\n{second}\n{good}")).unwrap_err();
        let ImportError::File { line, .. } = &refused else { panic!("{refused:?}") };
        assert_eq!(*line, if second.contains('\n') { 3 } else { 2 }, "{refused}");
        assert!(refused.to_string().contains(said), "{refused}");
        assert_eq!(count(&mut conn, "events")?, 0);
    }
    freeze(&mut conn, "a test", LONG)?;
    assert!(matches!(bring(&mut conn, &good), Err(ImportError::LogClosed(_))));
    Ok(())
}

fn another_event_with_the_id_is_refused<D: TestDatabase>() -> Result {
    let (_db, mut conn) = empty::<D>()?;
    STORE.append(&mut conn, &user("bob")?, ExpectedVersion::NoStream, &counted(1)?)?;
    let id = events(&mut conn)?[0].id();
    let file = line("alice", r#","payload":1"#)
        + "\n"
        + &line("alice", &format!(r#","payload":1,"event_id":"{id}""#));
    let refused = bring(&mut conn, &file).unwrap_err().to_string();
    assert_eq!(refused, format!("line 2: User/alice has another event with the id {id} in this store"));
    assert_eq!(count(&mut conn, "events")?, 1);
    Ok(())
}

/// As it is if the import is killed between two batches.
fn what_was_appended_in_part_goes_on<D: TestDatabase>() -> Result {
    let (_db, mut conn) = empty::<D>()?;
    let lines: Vec<_> = (0..1_100).map(|n| line("alice", &format!(r#","payload":{n}"#)) + "\n").collect();
    bring(&mut conn, &lines[..1_000].concat())?;
    let brought = bring(&mut conn, &lines.concat())?;
    assert_eq!((brought.events(), brought.skipped()), (100, 1_000));
    let payloads: Vec<i64> =
        events(&mut conn)?.iter().map(|event| event.payload()).collect::<Result<_, _>>()?;
    assert_eq!(payloads, (0..1_100).collect::<Vec<_>>());
    Ok(())
}
