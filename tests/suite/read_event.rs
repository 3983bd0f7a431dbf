//! One event by its id.

use diesel_event_store::uuid::Uuid;
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent};
use test_support::{Result, TestDatabase, counted, user};

tests! {
    an_event_is_found_by_its_id,
    any_id_that_is_given_is_kept,
    an_id_that_nobody_has_is_no_error,
}

fn an_event_is_found_by_its_id<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    let appended = store.append(&mut conn, &alice, ExpectedVersion::Any, &counted(3)?)?;
    for event in appended.events() {
        assert_eq!(store.read_event(&mut conn, event.id())?.as_ref(), Some(event));
    }
    Ok(())
}

fn any_id_that_is_given_is_kept<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    for id in [Uuid::nil(), Uuid::max(), Uuid::from_u128(1), Uuid::from_u128(0xABCD << 96)] {
        let event = NewEvent::new("Imported", &())?.with_id(id);
        store.append(&mut conn, &alice, ExpectedVersion::Any, &[event])?;
        assert_eq!(store.read_event(&mut conn, id)?.map(|event| event.id()), Some(id));
    }
    Ok(())
}

fn an_id_that_nobody_has_is_no_error<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    store.append(&mut conn, &user("alice")?, ExpectedVersion::Any, &counted(1)?)?;
    assert_eq!(store.read_event(&mut conn, Uuid::from_u128(7))?, None);
    Ok(())
}
