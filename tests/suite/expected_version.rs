//! Optimistic concurrency: an append goes on only where it expects the stream to be.

use diesel_event_store::ExpectedVersion::{self, Any, Exact, NoStream, StreamExists};
use diesel_event_store::{Error, EventConnection, EventStore, Position, StreamId};
use test_support::{Result, TestDatabase, count, counted, user};

tests! {
    any_takes_every_stream,
    no_stream_takes_only_a_stream_without_events,
    stream_exists_takes_only_a_stream_with_events,
    exact_takes_only_that_version,
    exact_zero_means_no_stream,
    a_conflict_writes_nothing,
    a_conflict_says_what_happened_and_what_to_do,
    after_a_conflict_the_actual_version_is_accepted,
}

fn any_takes_every_stream<D: TestDatabase>() -> Result {
    assert_eq!(versions_that_accept::<D>(Any)?, [0, 1, 2, 3]);
    Ok(())
}

fn no_stream_takes_only_a_stream_without_events<D: TestDatabase>() -> Result {
    assert_eq!(versions_that_accept::<D>(NoStream)?, [0]);
    Ok(())
}

fn stream_exists_takes_only_a_stream_with_events<D: TestDatabase>() -> Result {
    assert_eq!(versions_that_accept::<D>(StreamExists)?, [1, 2, 3]);
    Ok(())
}

fn exact_takes_only_that_version<D: TestDatabase>() -> Result {
    for version in 1..=3 {
        assert_eq!(versions_that_accept::<D>(Exact(version))?, [version]);
    }
    assert!(versions_that_accept::<D>(Exact(4))?.is_empty());
    assert!(versions_that_accept::<D>(Exact(i64::MAX))?.is_empty());
    Ok(())
}

fn exact_zero_means_no_stream<D: TestDatabase>() -> Result {
    assert_eq!(versions_that_accept::<D>(Exact(0))?, [0]);
    Ok(())
}

/// Of the versions 0 to 3, those from which an append that expects this goes on. Each takes one and two
/// events.
fn versions_that_accept<D: TestDatabase>(expected: ExpectedVersion) -> Result<Vec<i64>> {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let mut accepted = Vec::new();
    for version in 0..=3 {
        let one = is_accepted(&mut conn, version, expected, 1)?;
        let two = is_accepted(&mut conn, version, expected, 2)?;
        assert_eq!(one, two);
        if one {
            accepted.push(version);
        }
    }
    Ok(accepted)
}

fn is_accepted(
    conn: &mut impl EventConnection,
    version: i64,
    expected: ExpectedVersion,
    events: i64,
) -> Result<bool> {
    let store = EventStore::new();
    let stream = StreamId::new("Counter", format!("{events} at {version}"))?;
    if version > 0 {
        store.append(conn, &stream, NoStream, &counted(version)?)?;
    }
    match store.append(conn, &stream, expected, &counted(events)?) {
        Ok(appended) => {
            assert_eq!((appended.previous_version(), appended.version()), (version, version + events));
            assert_eq!(store.version(conn, &stream)?, version + events);
            Ok(true)
        }
        Err(error) => {
            let conflict = error.conflict().ok_or_else(|| format!("{error:?}"))?;
            assert_eq!((&conflict.stream, conflict.expected), (&stream, expected));
            assert_eq!(conflict.actual, version);
            assert_eq!(store.version(conn, &stream)?, version);
            Ok(false)
        }
    }
}

fn a_conflict_writes_nothing<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice, nobody) = (EventStore::new(), user("alice")?, user("nobody")?);
    let appended = store.append(&mut conn, &alice, NoStream, &counted(2)?)?;

    for (stream, expected) in [
        (&alice, NoStream),
        (&alice, Exact(0)),
        (&alice, Exact(1)),
        (&alice, Exact(3)),
        (&nobody, StreamExists),
        (&nobody, Exact(1)),
    ] {
        let refused = store.append(&mut conn, stream, expected, &counted(2)?);
        assert!(refused.unwrap_err().conflict().is_some(), "{stream} {expected}");
    }

    assert_eq!(store.read_forward(&mut conn, Position::START, 10)?.events(), appended.events());
    assert_eq!(count(&mut conn, "aggregate_heads WHERE aggregate_version = 2")?, 1);
    assert_eq!(count(&mut conn, "aggregate_heads")?, 1);
    Ok(())
}

fn a_conflict_says_what_happened_and_what_to_do<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    store.append(&mut conn, &alice, NoStream, &counted(12)?)?;

    let error = store.append(&mut conn, &alice, Exact(9), &counted(1)?).unwrap_err();

    assert_eq!(
        error.to_string(),
        "conflict on User/alice: the append expected version 9, but the stream is at version 12; \
         read the stream again, decide again, and append with the new version"
    );
    assert!(!error.is_retryable());
    assert_eq!(Error::from(error).conflict().map(|conflict| conflict.actual), Some(12));
    Ok(())
}

fn after_a_conflict_the_actual_version_is_accepted<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    store.append(&mut conn, &alice, NoStream, &counted(5)?)?;

    let events = counted(1)?;
    let error = store.append(&mut conn, &alice, NoStream, &events).unwrap_err();
    let actual = error.conflict().expect("a conflict").actual;

    assert_eq!(store.append(&mut conn, &alice, Exact(actual), &events)?.version(), 6);
    Ok(())
}
