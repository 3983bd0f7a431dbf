//! What was exported and imported is what it was.

use diesel_event_store::ExpectedVersion::{Any, Exact, NoStream};
use diesel_event_store::transfer::export;
use diesel_event_store::{EventStore, Position, StreamId};
use test_support::{Result, TestDatabase, counted, user};

use super::{content, empty, exported, fill, imported};
use crate::suite::housekeeping::remove;

tests! {
    everything_comes_back,
    what_sqlite_has_written_is_written_again,
    an_empty_log_comes_back,
    what_was_exported_is_told,
    what_was_removed_stays_away,
    streams_that_begin_later_go_on_at_their_version,
    events_missing_in_the_middle_of_a_stream_stay_away,
    more_than_a_batch_comes_back,
}

fn everything_comes_back<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<D>()?, empty::<D>()?);
    fill(&mut from)?;
    let file = exported(&mut from)?;
    let brought = imported(&mut to, &file)?;
    assert_eq!((brought.events(), brought.skipped()), (26, 0));
    assert_eq!(content(&mut to)?, content(&mut from)?);
    assert_eq!(exported(&mut to)?, file);
    Ok(())
}

/// From SQLite to this database and back: the same bytes each time, and the application goes on.
#[cfg(feature = "sqlite")]
fn what_sqlite_has_written_is_written_again<D: TestDatabase>() -> Result {
    let (_first, mut old) = empty::<test_support::Sqlite>()?;
    fill(&mut old)?;
    let file = exported(&mut old)?;
    let (_second, mut server) = empty::<D>()?;
    imported(&mut server, &file)?;
    assert_eq!(exported(&mut server)?, file);
    EventStore::new().append(&mut server, &user("alice")?, Exact(9), &counted(1)?)?;
    let file = exported(&mut server)?;
    let (_third, mut back) = empty::<test_support::Sqlite>()?;
    imported(&mut back, &file)?;
    assert_eq!(exported(&mut back)?, file);
    assert_eq!(EventStore::new().version(&mut back, &user("alice")?)?, 10);
    Ok(())
}

#[cfg(not(feature = "sqlite"))]
fn what_sqlite_has_written_is_written_again<D: TestDatabase>() -> Result {
    everything_comes_back::<D>()
}

fn an_empty_log_comes_back<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<D>()?, empty::<D>()?);
    let file = exported(&mut from)?;
    imported(&mut to, &file)?;
    assert_eq!(exported(&mut to)?, file);
    assert_eq!(EventStore::new().log_closed(&mut to)?, None);
    Ok(())
}

fn what_was_exported_is_told<D: TestDatabase>() -> Result {
    let (_db, mut conn) = empty::<D>()?;
    fill(&mut conn)?;
    let mut file = Vec::new();
    let told = export(&mut conn, &mut file)?;
    let store = EventStore::new();
    assert_eq!(told.log_id(), store.log_id(&mut conn)?);
    assert_eq!((told.events(), told.end()), (26, store.last_position(&mut conn)?));
    let file = String::from_utf8(file)?;
    let trailer = file.lines().last().unwrap_or_default();
    assert!(trailer.contains(told.chain()), "{trailer}");
    let seal = diesel_event_store::operate::seal(&mut conn)?.ok_or("there are events")?;
    assert_eq!((seal.position(), seal.chain()), (told.end(), told.chain()));
    Ok(())
}

fn what_was_removed_stays_away<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<D>()?, empty::<D>()?);
    let store = EventStore::new();
    store.append(&mut from, &user("alice")?, NoStream, &counted(9)?)?;
    let after: Vec<_> = store.read_forward(&mut from, Position::START, 9)?.into_events();
    remove(&mut from, "aggregate_version IN (1, 2)")?;
    let file = exported(&mut from)?;
    imported(&mut to, &file)?;
    assert_eq!(store.read_forward(&mut to, Position::START, 9)?.into_events(), after[2..]);
    assert_eq!(exported(&mut to)?, file);
    Ok(())
}

/// Their first events were archived, or all of them.
fn streams_that_begin_later_go_on_at_their_version<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<D>()?, empty::<D>()?);
    let store = EventStore::new();
    let empty = StreamId::new("User", "all 'gone'")?.in_tenant("acme")?;
    store.append(&mut from, &empty, Any, &counted(4)?)?;
    store.append(&mut from, &user("bob")?, Any, &counted(3)?)?;
    remove(&mut from, "aggregate_id = 'all ''gone''' OR aggregate_version < 3")?;
    let file = exported(&mut from)?;
    imported(&mut to, &file)?;
    assert_eq!(exported(&mut to)?, file);
    for (stream, version) in [(&empty, 5), (&user("bob")?, 4)] {
        assert_eq!(store.append(&mut to, stream, Exact(version - 1), &counted(1)?)?.version(), version);
    }
    Ok(())
}

fn events_missing_in_the_middle_of_a_stream_stay_away<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<D>()?, empty::<D>()?);
    let store = EventStore::new();
    for name in ["alice", "bob", "carol"] {
        store.append(&mut from, &user(name)?, NoStream, &counted(9)?)?;
    }
    remove(
        &mut from,
        "aggregate_id = 'alice' AND aggregate_version IN (2, 5, 6) \
         OR aggregate_id = 'bob' AND aggregate_version IN (1, 2, 8)",
    )?;
    let file = exported(&mut from)?;
    let line = r#""alice","first_version":1,"version":9,"missing":[[2,2],[5,6]]},"#;
    assert!(file.contains(line), "{file}");
    assert!(file.contains(r#""bob","first_version":3,"version":9,"missing":[[8,8]]}"#), "{file}");
    assert!(!file.contains(r#"{"stream":{"aggregate_type":"User","aggregate_id":"carol""#), "{file}");
    imported(&mut to, &file)?;
    assert_eq!(exported(&mut to)?, file);
    assert_eq!(store.append(&mut to, &user("alice")?, Exact(9), &counted(1)?)?.version(), 10);
    Ok(())
}

fn more_than_a_batch_comes_back<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<D>()?, empty::<D>()?);
    let store = EventStore::new();
    for stream in 0..11 {
        store.append(&mut from, &user(&stream.to_string())?, NoStream, &counted(1_000)?)?;
    }
    let file = exported(&mut from)?;
    assert_eq!(imported(&mut to, &file)?.events(), 11_000);
    assert_eq!(exported(&mut to)?, file);
    Ok(())
}
