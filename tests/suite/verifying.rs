//! What does not agree with the rest of a log is found.

use diesel_event_store::operate::{Finding, Verified, verify};
use diesel_event_store::projection::Projection;
use diesel_event_store::{EventConnection, EventStore, ExpectedVersion, Position, RecordedEvent};
use test_support::{Result, TestDatabase, at_once, counted, execute, user};

use super::housekeeping::{remove, restore};

tests! {
    a_log_of_the_library_is_sound,
    a_log_in_use_is_sound,
    a_version_that_does_not_follow_is_found,
    a_stream_may_begin_later,
    wrong_heads_are_found,
    a_checkpoint_of_another_log_is_found,
    another_event_than_the_applied_one_is_found,
    there_are_at_most_a_hundred_of_a_kind,
}

const STORE: EventStore = EventStore::new();

/// Three streams of three events; a projection that has applied them.
fn sound<D: TestDatabase>() -> Result<(D, D::Conn)> {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for name in ["alice", "bob", "carol"] {
        STORE.append(&mut conn, &user(name)?, ExpectedVersion::NoStream, &counted(3)?)?;
    }
    Projection::new("users", 1, |_: &mut D::Conn, _: &RecordedEvent| Ok(())).catch_up(&mut conn)?;
    Ok((db, conn))
}

fn found<C: EventConnection>(conn: &mut C) -> Result<Vec<String>> {
    Ok(verify(conn)?.findings().iter().map(Finding::to_string).collect())
}

/// Past the library, an event of a user and its head.
fn insert<C: EventConnection>(conn: &mut C, name: &str, version: i64) -> Result {
    let insert = format!(
        "INSERT INTO events (aggregate_type, aggregate_id, aggregate_version, event_id, event_type, \
         event_version, payload, created_at) SELECT 'User', '{name}', {version}, \
         '0198c2d4-0000-7000-8000-{version:012}', 'Raw', 1, '1', created_at FROM events \
         WHERE global_position = 1"
    );
    execute(conn, &insert)?;
    let set =
        format!("UPDATE aggregate_heads SET aggregate_version = {version} WHERE aggregate_id = '{name}'");
    Ok(execute(conn, &set)?)
}

fn a_log_of_the_library_is_sound<D: TestDatabase>() -> Result {
    let (_db, mut conn) = sound::<D>()?;
    let verified = verify(&mut conn)?;
    assert!(verified.is_sound(), "{verified:?}");
    assert_eq!((verified.events(), verified.streams(), verified.begin_later()), (9, 3, 0));
    assert_eq!((verified.last_position(), verified.more()), (Position::new(9)?, 0));
    Ok(())
}

fn a_log_in_use_is_sound<D: TestDatabase>() -> Result {
    let (db, _) = sound::<D>()?;
    let mut conns = (0..4).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    let verified = at_once(&mut conns, |index, conn| -> Result<Vec<Verified>> {
        if index == 0 {
            return (0..5).map(|_| Ok(verify(conn)?)).collect();
        }
        for _ in 0..20 {
            STORE.append(conn, &user(&index.to_string())?, ExpectedVersion::Any, &counted(2)?)?;
        }
        Ok(Vec::new())
    });
    for verified in verified.into_iter().collect::<Result<Vec<_>>>()?.concat() {
        assert!(verified.is_sound(), "{verified:?}");
    }
    Ok(())
}

fn a_version_that_does_not_follow_is_found<D: TestDatabase>() -> Result {
    let (_db, mut conn) = sound::<D>()?;
    insert(&mut conn, "alice", 5)?;
    let position = STORE.last_position(&mut conn)?;
    let expected = format!("position {position}: version 5 of User/alice does not follow version 3");
    assert_eq!(found(&mut conn)?, [expected]);
    remove(&mut conn, "aggregate_id = 'bob' AND aggregate_version = 2")?;
    assert_eq!(found(&mut conn)?[0], "position 6: version 3 of User/bob does not follow version 1");
    Ok(())
}

/// Its first events were archived, or erased.
fn a_stream_may_begin_later<D: TestDatabase>() -> Result {
    let (_db, mut conn) = sound::<D>()?;
    remove(&mut conn, "aggregate_id = 'bob' AND aggregate_version < 3 OR aggregate_id = 'carol'")?;
    let verified = verify(&mut conn)?;
    assert!(verified.is_sound(), "{verified:?}");
    assert_eq!((verified.events(), verified.streams(), verified.begin_later()), (4, 2, 1));
    Ok(())
}

fn wrong_heads_are_found<D: TestDatabase>() -> Result {
    let (_db, mut conn) = sound::<D>()?;
    execute(&mut conn, "DELETE FROM aggregate_heads WHERE aggregate_id = 'alice'")?;
    execute(&mut conn, "UPDATE aggregate_heads SET aggregate_version = 4 WHERE aggregate_id = 'carol'")?;
    let expected = [
        "the head of User/alice is missing, and its last event has version 3",
        "the head of User/carol is at version 4, and its last event has version 3",
    ];
    assert_eq!(found(&mut conn)?, expected);
    STORE.repair(&mut conn)?;
    assert!(verify(&mut conn)?.is_sound());
    Ok(())
}

fn a_checkpoint_of_another_log_is_found<D: TestDatabase>() -> Result {
    let (_db, mut conn) = sound::<D>()?;
    restore(&mut conn, Position::new(6)?)?;
    let expected = "the checkpoint of users version 1, 9, is beyond the end of the log, 6";
    assert_eq!(found(&mut conn)?, [expected]);
    Ok(())
}

fn another_event_than_the_applied_one_is_found<D: TestDatabase>() -> Result {
    let (_db, mut conn) = sound::<D>()?;
    restore(&mut conn, Position::new(6)?)?;
    STORE.append(&mut conn, &user("dave")?, ExpectedVersion::NoStream, &counted(4)?)?;
    let found = found(&mut conn)?;
    assert!(
        found[0].contains(" has applied the event ") && found[0].contains(" at position 9, "),
        "{found:?}"
    );
    Ok(())
}

fn there_are_at_most_a_hundred_of_a_kind<D: TestDatabase>() -> Result {
    let (_db, mut conn) = sound::<D>()?;
    for nth in 0..105 {
        insert(&mut conn, "alice", 5 + 2 * nth)?;
    }
    let verified = verify(&mut conn)?;
    assert_eq!((verified.findings().len(), verified.more()), (100, 5));
    Ok(())
}
