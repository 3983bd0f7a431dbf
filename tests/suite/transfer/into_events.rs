//! An import into a store that has events.

use diesel::Connection;
use diesel_event_store::transfer::{ImportError, export_archive, remove_archived};
use diesel_event_store::{EventStore, ExpectedVersion, LogQuery, NewEvent, Position};
use test_support::{Result, TestDatabase, count, counted, user};

use super::{breaks_off, empty, exported, imported};

tests! {
    events_are_appended_once,
    events_that_do_not_fit_are_refused,
    streams_whose_events_are_not_in_the_file_are_refused,
    what_was_appended_before_an_error_is_told,
    checkpoints_without_events_are_in_the_way,
    a_transaction_of_the_application_is_refused,
}

const STORE: EventStore = EventStore::new();

/// Three events of Alice, and a file of them.
fn alice<D: TestDatabase>() -> Result<(D, D::Conn, String)> {
    let (db, mut conn) = empty::<D>()?;
    STORE.append(&mut conn, &user("alice")?, ExpectedVersion::NoStream, &counted(3)?)?;
    STORE.save_checkpoint(&mut conn, "own", Position::new(2)?)?;
    let file = exported(&mut conn)?;
    Ok((db, conn, file))
}

fn events_are_appended_once<D: TestDatabase>() -> Result {
    let ((_db, mut from, file), (_other, mut to)) = (alice::<D>()?, empty::<D>()?);
    STORE.append(&mut to, &user("bob")?, ExpectedVersion::NoStream, &counted(2)?)?;
    let log_id = STORE.log_id(&mut to)?;
    let brought = imported(&mut to, &file)?;
    assert_eq!((brought.events(), brought.skipped(), brought.last_position().get()), (3, 0, 5));
    let stream = |conn: &mut D::Conn| -> Result<Vec<_>> {
        let events = STORE.read_stream(conn, &user("alice")?, ..)?.into_events();
        Ok(events.into_iter().map(|event| (event.id(), event.version(), event.created_at())).collect())
    };
    assert_eq!(stream(&mut to)?, stream(&mut from)?);
    assert_eq!(STORE.log_id(&mut to)?, log_id);
    assert!(STORE.checkpoints(&mut to)?.is_empty());

    STORE.append(&mut from, &user("alice")?, ExpectedVersion::Exact(3), &counted(1)?)?;
    let brought = imported(&mut to, &exported(&mut from)?)?;
    assert_eq!((brought.events(), brought.skipped()), (1, 3));
    assert_eq!(STORE.read_log(&mut to, &LogQuery::after(Position::START), 10)?.len(), 6);
    Ok(())
}

fn events_that_do_not_fit_are_refused<D: TestDatabase>() -> Result {
    let (_db, mut from, file) = alice::<D>()?;
    let id = STORE.read_forward(&mut from, Position::START, 3)?.events()[1].id();
    let other_stream = [NewEvent::new("Counted", &2)?.with_id(id)];
    for (stream, events, said) in [
        ("alice", &counted(1)?[..], "line 2: User/alice has 1 events, and this one is version 1"),
        ("bob", &other_stream[..], "line 3: User/alice has another event with the id"),
    ] {
        let (_db, mut to) = empty::<D>()?;
        STORE.append(&mut to, &user(stream)?, ExpectedVersion::NoStream, events)?;
        let refused = imported(&mut to, &file).unwrap_err();
        assert!(refused.to_string().starts_with(said), "{refused}");
        assert_eq!(count(&mut to, "events")?, 1, "nothing was written");
    }
    Ok(())
}

/// Otherwise it could be begun again, with other events.
fn streams_whose_events_are_not_in_the_file_are_refused<D: TestDatabase>() -> Result {
    let ((_db, mut from, _), (_other, mut to)) = (alice::<D>()?, empty::<D>()?);
    STORE.append(&mut from, &user("bob")?, ExpectedVersion::NoStream, &counted(1)?)?;
    STORE.delete_checkpoint(&mut from, "own")?;
    let mut archive = Vec::new();
    export_archive(&mut from, Position::new(4)?, &mut archive)?;
    remove_archived(&mut from, || Ok(&*archive))?;
    STORE.append(&mut to, &user("dave")?, ExpectedVersion::NoStream, &counted(1)?)?;
    let refused = imported(&mut to, &exported(&mut from)?).unwrap_err().to_string();
    assert!(
        refused.starts_with("line 2: User/alice has 0 events, and the file has none of its 3"),
        "{refused}"
    );
    assert_eq!(count(&mut to, "events")?, 1, "nothing was written");
    Ok(())
}

/// The file is cut when it is read for the third time.
fn what_was_appended_before_an_error_is_told<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<D>()?, empty::<D>()?);
    STORE.append(&mut from, &user("alice")?, ExpectedVersion::NoStream, &counted(800)?)?;
    STORE.append(&mut to, &user("bob")?, ExpectedVersion::NoStream, &counted(1)?)?;
    let file = exported(&mut from)?;
    let broken = breaks_off(&mut to, &file, 3, file.len() * 9 / 10).unwrap_err();
    assert!(matches!(broken, ImportError::Partly { events: 500, .. }), "{broken:?}");
    assert!(broken.to_string().ends_with("; 500 events before it were appended"), "{broken}");
    assert_eq!(count(&mut to, "events")?, 501);
    let brought = imported(&mut to, &file)?;
    assert_eq!((brought.events(), brought.skipped()), (300, 500));
    let broken = breaks_off(&mut to, &file, 3, 0).unwrap_err();
    assert!(!matches!(broken, ImportError::Partly { .. }), "{broken:?}");
    Ok(())
}

fn checkpoints_without_events_are_in_the_way<D: TestDatabase>() -> Result {
    let ((_db, _from, file), (_other, mut to)) = (alice::<D>()?, empty::<D>()?);
    STORE.save_checkpoint(&mut to, "own", Position::START)?;
    let refused = imported(&mut to, &file).unwrap_err();
    assert!(refused.to_string().starts_with("the store has no events, but checkpoints"), "{refused}");
    assert_eq!(STORE.log_closed(&mut to)?, None);
    STORE.delete_checkpoint(&mut to, "own")?;
    assert_eq!(imported(&mut to, &file)?.events(), 3);
    Ok(())
}

fn a_transaction_of_the_application_is_refused<D: TestDatabase>() -> Result {
    let ((_db, _from, file), (_other, mut to)) = (alice::<D>()?, empty::<D>()?);
    let refused: Result = to.transaction(|conn| {
        imported(conn, &file)?;
        Ok(())
    });
    assert!(refused.unwrap_err().to_string().starts_with("an import commits several transactions"));
    Ok(())
}
