//! The version of an aggregate, without its events.

use diesel_event_store::{EventStore, ExpectedVersion, StreamId};
use test_support::{Result, TestDatabase, counted, user};

tests! {
    it_is_zero_without_events,
    it_counts_the_events,
}

fn it_is_zero_without_events<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    store.append(&mut conn, &user("alice")?, ExpectedVersion::Any, &counted(1)?)?;
    for nobody in [user("bob")?, StreamId::new("Order", "alice")?, StreamId::new("alice", "User")?] {
        assert_eq!(store.version(&mut conn, &nobody)?, 0);
    }
    Ok(())
}

fn it_counts_the_events<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    let mut appended = 0;
    for batch in [1, 2, 3, 10] {
        store.append(&mut conn, &alice, ExpectedVersion::Any, &counted(batch)?)?;
        appended += batch;
        assert_eq!(store.version(&mut conn, &alice)?, appended);
    }
    Ok(())
}
