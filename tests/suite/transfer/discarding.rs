//! An import that was begun is taken back.

use diesel_event_store::transfer::discard;
use diesel_event_store::{EventStore, ExpectedVersion};
use test_support::{Result, TestDatabase, count, counted, user};

use super::{breaks_off, empty, exported, fill, imported};

tests! {
    what_was_begun_is_taken_back,
    what_is_complete_stays,
}

const STORE: EventStore = EventStore::new();

fn what_was_begun_is_taken_back<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<D>()?, empty::<D>()?);
    fill(&mut from)?;
    let file = exported(&mut from)?;
    assert!(breaks_off(&mut to, &file, 2, file.len() / 2).is_err());
    assert!(STORE.log_closed(&mut to)?.is_some());

    assert!(discard(&mut to)?);
    assert_eq!((STORE.log_closed(&mut to)?, count(&mut to, "events")?), (None, 0));
    assert_ne!(STORE.log_id(&mut to)?, STORE.log_id(&mut from)?);
    assert_eq!(imported(&mut to, &file)?.events(), 26);
    assert_eq!(exported(&mut to)?, file);
    Ok(())
}

fn what_is_complete_stays<D: TestDatabase>() -> Result {
    let (_db, mut conn) = empty::<D>()?;
    STORE.append(&mut conn, &user("alice")?, ExpectedVersion::NoStream, &counted(3)?)?;
    assert!(!discard(&mut conn)?);
    assert_eq!(count(&mut conn, "events")?, 3);
    Ok(())
}
